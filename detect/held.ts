import type { Finding, Held, Reason, RuleSignal } from './decision.ts';

/** Items that the cap holds back. Each is kept for a second, so that a reader who polls sees it. */
export type HeldBack = {
  /** Returns the reason if it is to be reported: the item was not held back by this signal in the minute before. */
  hold(finding: Finding, now: number): Reason | undefined;
  /** The item is hot now, or is excluded. */
  release(item: string, signal: RuleSignal): void;
  advance(now: number): void;
  all(): Held[];
  count(): number;
};

const KEPT_MS = 1_000;
/**
 * When a reason is written again: hundreds of items may be held back, and a sentence for each of them every second costs more than their
 * views.
 */
const REASON_MS = 10_000;
const REASON_CHANGES_BY = 1.25;

/** An item near its threshold is held back again and again: it is reported once in this time. */
const NEWS_AFTER_MS = 60_000;
/** If more items are held back at once, only their number is reported. Each report costs a decision, while views wait. */
const MOST_NEWS = 100;

type Kept = Held & { lastAt: number; reasonAt: number; strengthThen: number };

export function createHeldBack(): HeldBack {
  const held = new Map<string, Kept>();
  /** When each item that was reported as held back was last held back. */
  const news = new Map<string, number>();
  return {
    hold({ item, signal, strength, explain }, now) {
      const key = keyOf(item, signal);
      const known = held.get(key);
      if (known !== undefined && !isOutdated(known, strength, now)) {
        known.strength = strength;
        known.lastAt = now;
        return undefined;
      }
      const reason = explain();
      held.set(key, {
        item,
        signal,
        strength,
        reason: reason.text,
        lastAt: now,
        reasonAt: now,
        strengthThen: strength,
      });
      if (known !== undefined || news.has(key) || news.size === MOST_NEWS) return undefined;
      news.set(key, now);
      return reason;
    },
    release: (item, signal) => drop(keyOf(item, signal)),
    advance(now) {
      // Otherwise a clock that is set back would keep them for that long.
      for (const [key, { lastAt }] of held) if (now - lastAt >= KEPT_MS || now < lastAt - KEPT_MS) drop(key);
      for (const [key, lastAt] of news)
        if (!held.has(key) && Math.abs(now - lastAt) >= NEWS_AFTER_MS) news.delete(key);
    },
    all: () =>
      [...held.values()].map(({ item, signal, strength, reason }) => ({ item, signal, strength, reason })),
    count: () => held.size,
  };

  function drop(key: string): void {
    const known = held.get(key);
    if (known !== undefined && news.has(key)) news.set(key, known.lastAt);
    held.delete(key);
  }
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
