import type { PinsAndBans } from '../detect/decisions.ts';
import type { RulesFile } from './rules-schema.ts';

/*
 * Overrides by operators: pins (always hot) and bans (never hot). They are set by command, and stored across restarts, or in the rules
 * file. A command overrides the file, and in the file a ban overrides a pin until it ends.
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
  /** Drops those that have ended, by command and of the file. Returns true if there were any. */
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
const KINDS = ['pin', 'ban'] as const;

export function createOverrides(stored: readonly Override[]): Overrides {
  const hand = byItem(stored.slice(0, MOST_OVERRIDES));
  const file = { pin: new Map<string, Override>(), ban: new Map<string, Override>() };
  return {
    set(override) {
      if (!hand.has(override.item) && hand.size >= MOST_OVERRIDES)
        throw new TooManyOverrides(`there are ${MOST_OVERRIDES} pins and bans already`);
      hand.set(override.item, override);
    },
    clear: (item) => hand.delete(item),
    setFile(overrides) {
      for (const kind of KINDS) file[kind] = byItem(overrides.filter((one) => one.kind === kind));
    },
    expire(now) {
      const ended = [hand, file.pin, file.ban].map((some) => dropEnded(some, now));
      return ended.includes(true);
    },
    of: (item) => hand.get(item) ?? file.ban.get(item) ?? file.pin.get(item),
    byHand: () => [...hand.values()],
    all: () => [...new Map([...file.pin, ...file.ban, ...hand]).values()],
    pinsAndBans: () => ({ pins: ofKind('pin'), bans: ofKind('ban') }),
  };

  /** An item of the file may have both: its pin applies when the ban has ended. */
  function ofKind(kind: Override['kind']): Omit<Override, 'kind' | 'by'>[] {
    const ofFile = [...file[kind].values()].filter(({ item }) => !hand.has(item));
    const byHand = [...hand.values()].filter((one) => one.kind === kind);
    return [...ofFile, ...byHand].map(({ kind: _, by: __, ...override }) => override);
  }
}

function byItem(overrides: readonly Override[]): Map<string, Override> {
  return new Map(overrides.map((one) => [one.item, one]));
}

/** Returns whether there were any. */
function dropEnded(overrides: Map<string, Override>, now: number): boolean {
  const before = overrides.size;
  for (const [item, { until }] of overrides) if (until !== undefined && until <= now) overrides.delete(item);
  return overrides.size < before;
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
