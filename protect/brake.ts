/*
 * Whether the origin is slower than usual, from the keeper's own requests: it sees no others. Pages differ, so each is compared with what it
 * usually takes, and the origin with what the slowest hundredth of all pages usually takes of that. It is slow while more than one request in a
 * hundred, and at least two, take twice as long. What was slow for ten minutes is usual then.
 */

export type Brake = {
  /** A request took `ms` until the origin began to answer, for a page that usually takes `usualMs`. */
  saw(ms: number, usualMs: number): void;
  isOn(): boolean;
};

/** What a page usually takes. */
export type Usual = {
  /** The usual time, ms; undefined until it has been measured often enough. */
  ms(): number | undefined;
  add(ms: number): void;
};

/** How long the brake stays on after the last slow request. */
const RECENT_MS = 10_000;
const LEAST_SLOW = 2;
const SHARE_SLOW = 0.01;
const SLOWER = 2;
/** Less is not the origin, but the scheduling of two processes on this host. */
const LEAST_DELAY_MS = 20;
/** The times of a page that are averaged: an overload of a few minutes does not become usual. */
const LEARNT_FROM = 512;
const LEARNT_AFTER = 8;
/** Ratios between 1 and 1,000 in steps of a tenth. */
const BUCKETS = 74;
const STEP = Math.log(1.1);
const FADE_EVERY_MS = 60_000;
const FADE = 0.9;
const LEARN_AFTER_MS = 600_000;
/** Between two requests, at most. */
const LONGEST_STEP_MS = 10_000;

export function createUsual(): Usual {
  let [count, mean] = [0, 0];
  return {
    ms: () => (count < LEARNT_AFTER ? undefined : mean),
    add(ms) {
      count = Math.min(LEARNT_FROM, count + 1);
      mean += (ms - mean) / count;
    },
  };
}

export function createBrake(now: () => number): Brake {
  /** How many requests took how many times as long as usual: in the last ten minutes or so, and of these while it was slow. */
  const [usual, slow] = [new Float64Array(BUCKETS), new Float64Array(BUCKETS)];
  let [sawAt, fadedAt, slowMs] = [now(), now(), 0];
  let recent: { at: number; isSlow: boolean }[] = [];
  return { saw, isOn };

  function saw(ms: number, usualMs: number): void {
    const time = now();
    const wasOn = isOn();
    if (wasOn) slowMs += Math.min(LONGEST_STEP_MS, Math.max(0, time - sawAt));
    sawAt = time;
    const ratio = ms / Math.max(1, usualMs);
    const isSlow = ms - usualMs >= LEAST_DELAY_MS && ratio >= SLOWER * usualSlowest();
    recent = [...recent.filter(isRecent), { at: time, isSlow }];
    count(wasOn || isSlow ? slow : usual, ratio);
    if (slowMs >= LEARN_AFTER_MS) learn();
    if (Math.abs(time - fadedAt) < FADE_EVERY_MS) return;
    fadedAt = time;
    for (const counts of [usual, slow]) for (let i = 0; i < BUCKETS; i++) counts[i] = FADE * (counts[i] ?? 0);
  }

  function learn(): void {
    for (let i = 0; i < BUCKETS; i++) usual[i] = (usual[i] ?? 0) + (slow[i] ?? 0);
    slow.fill(0);
    slowMs = 0;
    recent = [];
  }

  function isOn(): boolean {
    const all = recent.filter(isRecent);
    const slowOnes = all.filter(({ isSlow }) => isSlow).length;
    return slowOnes >= LEAST_SLOW && slowOnes > SHARE_SLOW * all.length;
  }

  function isRecent({ at }: { at: number }): boolean {
    return Math.abs(now() - at) < RECENT_MS;
  }

  /** The 99th percentile of the ratios, at least 1. */
  function usualSlowest(): number {
    let above = SHARE_SLOW * usual.reduce((total, count) => total + count, 0);
    for (let i = BUCKETS - 1; i > 0; i--) {
      above -= usual[i] ?? 0;
      if (above < 0) return Math.exp(STEP * i);
    }
    return 1;
  }
}

function count(counts: Float64Array, ratio: number): void {
  const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(Math.log(ratio) / STEP)));
  counts[bucket] = (counts[bucket] ?? 0) + 1;
}
