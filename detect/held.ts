import type { Finding, Held, RuleSignal } from './decision.ts';

/** Items that the cap holds back. Each is kept for a second, so that a reader who polls sees it. */
export type HeldBack = {
  hold(finding: Finding, now: number): void;
  /** The item is hot now, or is excluded. */
  release(item: string, signal: RuleSignal): void;
  advance(now: number): void;
  all(): Held[];
};

const KEPT_MS = 1_000;
/**
 * When a reason is written again: hundreds of items may be held back, and a sentence for each of them every second costs more than their
 * views.
 */
const REASON_MS = 10_000;
const REASON_CHANGES_BY = 1.25;

type Kept = Held & { lastAt: number; reasonAt: number; strengthThen: number };

export function createHeldBack(): HeldBack {
  const held = new Map<string, Kept>();
  return {
    hold({ item, signal, strength, explain }, now) {
      const key = keyOf(item, signal);
      const known = held.get(key);
      if (known === undefined || isOutdated(known, strength, now)) {
        const reason = explain().text;
        held.set(key, { item, signal, strength, reason, lastAt: now, reasonAt: now, strengthThen: strength });
        return;
      }
      known.strength = strength;
      known.lastAt = now;
    },
    release: (item, signal) => void held.delete(keyOf(item, signal)),
    advance(now) {
      // Otherwise a clock that is set back would keep them for that long.
      for (const [key, { lastAt }] of held)
        if (now - lastAt >= KEPT_MS || now < lastAt - KEPT_MS) held.delete(key);
    },
    all: () =>
      [...held.values()].map(({ item, signal, strength, reason }) => ({ item, signal, strength, reason })),
  };
}

function isOutdated({ reasonAt, strengthThen }: Kept, strength: number, now: number): boolean {
  return (
    Math.abs(now - reasonAt) >= REASON_MS ||
    strength >= REASON_CHANGES_BY * strengthThen ||
    strengthThen >= REASON_CHANGES_BY * strength
  );
}

/** A signal's name contains no space. */
export function keyOf(item: string, signal: string): string {
  return `${signal} ${item}`;
}
