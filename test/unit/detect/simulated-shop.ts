import { createRandom } from '../../../demo/random.ts';
import { TICK_MS } from '../../../detect/clock.ts';
import {
  type Change,
  createDecisions,
  type Decisions,
  type DecisionsState,
} from '../../../detect/decisions.ts';
import { createHeat, type Heat, type HeatState } from '../../../detect/heat.ts';
import { compileRules } from '../../../detect/rules.ts';
import { mix } from '../../../event/mix.ts';

export const START = 1_795_355_712_000;

/** Views that come evenly, each by the next of `visitors` (by a new one each where there is no such number). */
export type Stream = {
  item: string;
  perSecond: number;
  visitors?: number;
  weight?: number;
  isBot?: boolean;
  /** How old a view is when it comes, ms. */
  lateMs?: number;
};

export type SimulatedShop = {
  heat: Heat;
  decisions: Decisions;
  changes: Change[];
  /** Ms since 1970 by the shop's clock. */
  now(): number;
  /** Sets the clock, without time passing. */
  setClock(now: number): void;
  /** Lets so much time pass, with these views in it besides those of the shop. */
  pass(seconds: number, streams?: Stream[]): void;
  /** A view of an item by a new visitor, now. */
  viewOnce(item: string): void;
  /** A view of an item that has a number for a name, by a new visitor, now. */
  viewUnique(item: number): void;
  /** A view by a new visitor. */
  view(stream: Stream): void;
  /** Items that became hot by a signal. */
  entered(signal: Change['signal']): string[];
};

/** Of before a restart: what is usual, what is hot, and when it is now. */
type Stored = { heat?: HeatState; decisions?: DecisionsState; now?: number };

/** A shop with a Zipf-like popularity: `perSecond` views of `items` items, each by a new visitor, from a fixed seed. */
export function simulateShop({
  perSecond = 100,
  items = 2_000,
  weight = 1,
  rules = compileRules(),
  places = 8_192,
  stored = {} as Stored,
} = {}): SimulatedShop {
  const changes: Change[] = [];
  let now = stored.now ?? START;
  const decisions = createDecisions({
    rules,
    onChange: (change) => changes.push(change),
    ...(stored.decisions === undefined ? {} : { stored: { state: stored.decisions, now } }),
  });
  let name = '';
  const heat = createHeat({
    now,
    nameOf: () => name,
    decisions,
    rules,
    places,
    ...(stored.heat === undefined ? {} : { stored: stored.heat }),
  });
  const random = createRandom(42);
  const names = Array.from({ length: items }, (_, i) => `item-${i}`);
  const hashes = new Map(names.map((item) => [item, hashOf(item)]));
  let nextVisitor = 1;
  return {
    heat,
    decisions,
    changes,
    now: () => now,
    setClock(to) {
      now = to;
    },
    pass,
    viewUnique(item) {
      name = String(item);
      heat.observe(mix(2 * item + 1), mix(~item), mix(nextVisitor++), 1, false, now);
    },
    view: (stream) => view(stream),
    viewOnce: (item) => view({ item, perSecond: 0 }),
    entered: (signal) =>
      changes.filter((one) => one.signal === signal && one.change === 'enters').map(({ item }) => item),
  };

  function pass(seconds: number, streams: Stream[] = []): void {
    const due = streams.map(() => 0);
    const seen = streams.map(() => 0);
    let shopDue = 0;
    for (let i = 0; i < (seconds * 1_000) / TICK_MS; i++) {
      now += TICK_MS;
      heat.advance(now);
      for (shopDue += (perSecond * TICK_MS) / 1_000; shopDue >= 1; shopDue--)
        view({ item: popular(), perSecond, weight });
      for (const [at, stream] of streams.entries()) {
        due[at] = (due[at] ?? 0) + (stream.perSecond * TICK_MS) / 1_000;
        for (; (due[at] ?? 0) >= 1; due[at] = (due[at] ?? 0) - 1) {
          seen[at] = (seen[at] ?? 0) + 1;
          view(stream, stream.visitors === undefined ? undefined : (seen[at] ?? 0) % stream.visitors);
        }
      }
      heat.decide();
    }
  }

  function view({ item, weight = 1, isBot = false, lateMs = 0 }: Stream, visitor?: number): void {
    name = item;
    const [high, low] = hashes.get(item) ?? hashOf(item);
    const who = visitor === undefined ? mix(nextVisitor++) : mix(~visitor);
    heat.observe(high, low, who, weight, isBot, now - lateMs);
  }

  /** The density of a popularity of 1/rank, by its inverse. */
  function popular(): string {
    return names[Math.floor(items ** random())] ?? '';
  }
}

function hashOf(text: string): [number, number] {
  let high = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) high = Math.imul(high ^ text.charCodeAt(i), 0x01000193);
  return [mix(high), mix(high ^ 0x5bd1e995)];
}

/** Longer than what is usual takes to be known. */
export const LEARNT_SECONDS = 200;
const learnt = new Map<number, HeatState>();

/** Such a shop whose usual visitors are known, two seconds after it was started again. */
export function simulateLearntShop({ perSecond = 100 } = {}): SimulatedShop {
  const known = learnt.get(perSecond) ?? learn(perSecond);
  learnt.set(perSecond, known);
  const shop = simulateShop({ perSecond, stored: { heat: known, now: known.at } });
  shop.pass(2);
  return shop;
}

function learn(perSecond: number): HeatState {
  const shop = simulateShop({ perSecond });
  shop.pass(LEARNT_SECONDS);
  return shop.heat.state();
}
