import type { Ban, Pin } from './decision.ts';

export type PinsAndBans = { pins: Pin[]; bans: Ban[] };

/** Pins and bans of items, each limited in time or permanent. */
export type Pins = {
  replace(overrides: PinsAndBans): void;
  /** Drops those that have ended. */
  advance(now: number): void;
  isBanned(item: string): boolean;
  /** Whether it is pinned now: the pin has begun, and the item is not banned. */
  isPinned(item: string, now: number): boolean;
  pins(): Pin[];
  bans(): Ban[];
};

export function createPins(stored: PinsAndBans): Pins {
  let pins = byItem(stored.pins);
  let bans = byItem(stored.bans);
  return {
    replace(overrides) {
      pins = byItem(overrides.pins);
      bans = byItem(overrides.bans);
    },
    advance(now) {
      dropEnded(pins, now);
      dropEnded(bans, now);
    },
    isBanned: (item) => bans.has(item),
    isPinned: (item, now) => !bans.has(item) && (pins.get(item)?.from ?? 0) <= now && pins.has(item),
    pins: () => [...pins.values()],
    bans: () => [...bans.values()],
  };
}

function byItem<Word extends { item: string }>(words: readonly Word[]): Map<string, Word> {
  return new Map(words.map((word) => [word.item, word]));
}

function dropEnded(words: Map<string, { until?: number }>, now: number): void {
  for (const [item, { until = Number.POSITIVE_INFINITY }] of words) if (until <= now) words.delete(item);
}
