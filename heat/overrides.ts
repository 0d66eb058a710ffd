import type { PinsAndBans } from '../detect/decisions.ts';
import type { RulesFile } from './rules-schema.ts';

/*
 * What people say about items: pins (hot, whatever is measured) and bans (never hot). By hand, kept over a restart, or in the file of rules,
 * which is read again when it changes. By hand goes over the file, and a ban over a pin.
 */

export type Override = {
  kind: 'pin' | 'ban';
  item: string;
  /** When it begins and ends, ms since 1970. */
  from?: number;
  until?: number;
  reason: string;
  /** Who said it: `file` for that of the rules. */
  by: string;
};

export type Overrides = {
  /** Replaces what was said of the item by hand. Throws a `TooManyOverrides`. */
  set(override: Override): void;
  /** Takes away what was said by hand. False where nothing was. */
  clear(item: string): boolean;
  /** Replaces those of the file of rules. */
  setFile(overrides: readonly Override[]): void;
  /** Drops what has ended. True where anything has. */
  expire(now: number): boolean;
  /** That which applies to an item. */
  of(item: string): Override | undefined;
  byHand(): Override[];
  /** One for each item. */
  all(): Override[];
  /** The same, as decisions take them. */
  pinsAndBans(): PinsAndBans;
};

/** There is no room for another one by hand. */
export class TooManyOverrides extends Error {
  override name = 'TooManyOverrides';
}

export const MOST_OVERRIDES = 1_000;

export function createOverrides(stored: readonly Override[]): Overrides {
  const hand = new Map(stored.slice(0, MOST_OVERRIDES).map((one) => [one.item, one]));
  let file = new Map<string, Override>();
  return {
    set(override) {
      if (!hand.has(override.item) && hand.size >= MOST_OVERRIDES)
        throw new TooManyOverrides(`there are ${MOST_OVERRIDES} pins and bans already`);
      hand.set(override.item, override);
    },
    clear: (item) => hand.delete(item),
    setFile(overrides) {
      // A ban of the file goes over a pin of the file.
      const bansLast = [...overrides].sort((a, b) => Number(a.kind === 'ban') - Number(b.kind === 'ban'));
      file = new Map(bansLast.map((one) => [one.item, one]));
    },
    expire(now) {
      const before = hand.size;
      for (const [item, { until }] of hand) if (until !== undefined && until <= now) hand.delete(item);
      return hand.size < before;
    },
    of: (item) => hand.get(item) ?? file.get(item),
    byHand: () => [...hand.values()],
    all,
    pinsAndBans() {
      const result: PinsAndBans = { pins: [], bans: [] };
      for (const { kind, by: _, ...override } of all())
        (kind === 'pin' ? result.pins : result.bans).push(override);
      return result;
    },
  };

  function all(): Override[] {
    return [...new Map([...file, ...hand]).values()];
  }
}

/** Those of a file of rules. */
export function overridesOf({ pins, bans }: RulesFile): Override[] {
  return [
    ...pins.map((pin) => ({ kind: 'pin' as const, ...withoutGaps(pin), by: 'file' })),
    ...bans.map((ban) => ({ kind: 'ban' as const, ...withoutGaps(ban), by: 'file' })),
  ];
}

function withoutGaps({ item, reason, ...times }: RulesFile['pins'][number]): Omit<Override, 'kind' | 'by'> {
  const { from, until } = times;
  return { item, reason, ...(from !== undefined && { from }), ...(until !== undefined && { until }) };
}
