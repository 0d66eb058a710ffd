import type { Ban, Pin } from './decision.ts';

/** Pins and bans of items, each for a time or for good. */
export type Pins = {
  pin(pin: Pin): void;
  ban(ban: Ban): void;
  /** Takes away pin and ban. */
  clear(item: string): void;
  /** Drops what has ended. */
  advance(now: number): void;
  isBanned(item: string): boolean;
  /** Whether it is pinned now: begun, and not banned. */
  isPinned(item: string, now: number): boolean;
  pins(): Pin[];
  bans(): Ban[];
};

export function createPins(stored: { pins: readonly Pin[]; bans: readonly Ban[] }): Pins {
  const pins = new Map(stored.pins.map((pin) => [pin.item, pin]));
  const bans = new Map(stored.bans.map((ban) => [ban.item, ban]));
  return {
    pin: (pin) => void pins.set(pin.item, pin),
    ban: (ban) => void bans.set(ban.item, ban),
    clear(item) {
      pins.delete(item);
      bans.delete(item);
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

function dropEnded(words: Map<string, { until?: number }>, now: number): void {
  for (const [item, { until = Number.POSITIVE_INFINITY }] of words) if (until <= now) words.delete(item);
}
