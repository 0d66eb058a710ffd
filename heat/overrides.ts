import type { PinsAndBans } from '../detect/decisions.ts';
import type { RulesFile } from './rules-schema.ts';

/*
 * Overrides by operators: pins (always hot) and bans (never hot). They are set by command, and stored across restarts, or in the rules
 * file. A command overrides the file, and in the file a ban overrides a pin.
 */

export type Override = {
  kind: 'pin' | 'ban';
  item: string;
  /** Start and end, ms since 1970. */
  from?: number;
  until?: number;
  reason: string;
  /** Login of the operator; `file` for the rules file. */
  by: string;
};

export type Overrides = {
  /** Sets or replaces the override of an item by command. Throws a `TooManyOverrides`. */
  set(override: Override): void;
  /** Removes the override by command. Returns false if there was none. */
  clear(item: string): boolean;
  /** Replaces those of the rules file. */
  setFile(overrides: readonly Override[]): void;
  /** Drops those that have ended. Returns true if there were any. */
  expire(now: number): boolean;
  /** The override in effect for an item. */
  of(item: string): Override | undefined;
  byHand(): Override[];
  /** Those in effect, one per item. */
  all(): Override[];
  /** The same, in the form that decisions take. */
  pinsAndBans(): PinsAndBans;
};

/** The limit of overrides by command is reached. */
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
      // A ban of the file overrides a pin of the file.
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

/** The overrides in a rules file. */
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
