import * as z from 'zod';
import type { DecisionsState, PinsAndBans } from '../detect/decisions.ts';
import { ACTIONS } from '../detect/rules.ts';

const override = z.object({
  kind: z.enum(['pin', 'ban']),
  item: z.string(),
  from: z.number().exactOptional(),
  until: z.number().exactOptional(),
  reason: z.string(),
  by: z.string(),
});

const numbers = z.object({
  windowSeconds: z.number(),
  viewsPerSecond: z.number().exactOptional(),
  visitors: z.number(),
  beforePerSecond: z.number().exactOptional(),
  baselinePerSecond: z.number().exactOptional(),
  heaviestViews: z.number().exactOptional(),
  estimated: z.boolean(),
});

const decision = z.object({
  item: z.string(),
  signal: z.enum(['busy', 'surge', 'concentrated', 'pin']),
  actions: z.array(z.enum(ACTIONS)).readonly(),
  since: z.number(),
  until: z.number().exactOptional(),
  reason: z.string(),
  numbers: numbers.exactOptional(),
  rule: z.string(),
  dryRun: z.boolean(),
  version: z.number(),
  strength: z.number(),
});

/** The content of `heat.json`: what heat detection stores for the next start. */
export const keptHeat = z.object({
  format: z.literal(1),
  /** When it was written, ms since 1970. */
  at: z.number(),
  /** Of the hot list. */
  version: z.number(),
  /** Of the decisions. */
  decided: z.number(),
  hot: z.array(decision),
  /** Pins and bans by hand. */
  overrides: z.array(override),
  /** Decisions that are not known to be in the outbox, in the form in which they are published. */
  untold: z.array(z.string()).exactOptional(),
});

export type KeptHeat = z.output<typeof keptHeat>;

/** Items that were hot longer ago are not restored, ms. */
const STALE_MS = 600_000;

/** The stored decisions, with the current pins and bans. */
export function decisionsOf(kept: KeptHeat, overrides: PinsAndBans, now: number): DecisionsState {
  const isStale = Math.abs(now - kept.at) > STALE_MS;
  return {
    version: kept.decided,
    hot: kept.hot.filter(({ signal }) => signal === 'pin' || !isStale),
    ...overrides,
  };
}

/** The content of `heat-baselines.json`: baselines for the next start. */
export const keptBaselines = z.object({
  format: z.literal(1),
  at: z.number(),
  seconds: z.number(),
  itemsSeen: z.number(),
  shop: z.number(),
  items: z.array(z.object({ item: z.string(), visitors: z.number() })),
});

export type KeptBaselines = z.output<typeof keptBaselines>;
