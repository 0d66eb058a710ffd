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

export function createHeldBack(): HeldBack {
  const held = new Map<string, Held & { lastAt: number; reasonAt: number }>();
  return {
    hold({ item, signal, strength, explain }, now) {
      const key = keyOf(item, signal);
      const known = held.get(key);
      if (known === undefined || now - known.reasonAt >= KEPT_MS) {
        held.set(key, { item, signal, strength, reason: explain().text, lastAt: now, reasonAt: now });
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

/** A signal's name contains no space. */
export function keyOf(item: string, signal: string): string {
  return `${signal} ${item}`;
}
