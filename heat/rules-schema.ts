import * as z from 'zod';
import { ACTIONS, DEFAULT_RULE } from '../detect/rules.ts';
import { toInstant } from '../service/instant.ts';

/*
 * The schema of the rules file, `heat.rules`. Everything is optional and overrides a default. All rules that match an item apply; later
 * ones override earlier ones.
 */

const MOST_RULES = 1_000;
const LONGEST_NAME = 256;
const MOST_SECONDS = 86_400;
const MOST_RATE = 1_000_000;
const CONTROL = /\p{Cc}/u;

const text = z
  .string()
  .min(1)
  .max(LONGEST_NAME)
  .refine((value) => !CONTROL.test(value), { message: 'must not contain control characters' });
/** YAML reads `4711` as a number; items and categories are text. */
const item = z.preprocess((value) => (typeof value === 'number' ? String(value) : value), text);
const rate = z.number().positive().max(MOST_RATE);
const dwell = z.number().min(1).max(MOST_SECONDS);
const instant = z
  .string()
  .refine((value) => toInstant(value) !== undefined, { message: 'must be a time like 2026-07-01T12:00:00Z' })
  .transform((value) => toInstant(value) ?? 0);
const off = z.literal(false);

/** Actions for an item that is hot by this signal. */
const actions = z.array(z.enum(ACTIONS)).max(ACTIONS.length).optional();

const busy = z
  .strictObject({
    /** An item enters at this many views per second over 10 s… */
    enter_views_per_second: rate.optional(),
    /** …and leaves below this many over a minute. */
    leave_views_per_second: rate.optional(),
    dwell_seconds: dwell.optional(),
    actions,
  })
  .refine(
    ({
      enter_views_per_second: enter = DEFAULT_RULE.busy.perSecond,
      leave_views_per_second: leave = DEFAULT_RULE.busy.endsPerSecond,
    }) => leave < enter,
    {
      path: ['leave_views_per_second'],
      message: `must be below enter_views_per_second (${DEFAULT_RULE.busy.endsPerSecond} and ${DEFAULT_RULE.busy.perSecond} where they are not set)`,
    },
  );

const surge = z.strictObject({
  surprise: z.number().min(1).max(10_000).optional(),
  visitors: z.number().int().min(2).max(MOST_RATE).optional(),
  share: z.number().min(0).max(1).optional(),
  ratio: z.number().min(1).max(10_000).optional(),
  leave_ratio: z.number().min(1).max(10_000).optional(),
  dwell_seconds: dwell.optional(),
  actions,
});

const concentrated = z.strictObject({
  views_per_visitor: z.number().min(1).max(10_000).optional(),
  views_per_second: rate.optional(),
  dwell_seconds: dwell.optional(),
  actions,
});

const rule = z.strictObject({
  /** Shown in decisions; default: the position of the rule. */
  name: text.optional(),
  /** Patterns with `*` for any characters; default: all items. */
  items: z.array(item).min(1).max(MOST_RULES).optional(),
  /** Pattern of a category of the catalogue, with `*` for any characters. */
  category: item.optional(),
  /** Only items of the catalogue may be hot. */
  catalogue_only: z.boolean().optional(),
  /** False: no signal makes the item hot. */
  hot: z.boolean().optional(),
  busy: z.union([off, busy]).optional(),
  surge: z.union([off, surge]).optional(),
  concentrated: z.union([off, concentrated]).optional(),
  /** Decisions are shown, but hidden from nginx. */
  dry_run: z.boolean().optional(),
});

const pin = z
  .strictObject({
    item,
    from: instant.optional(),
    until: instant.optional(),
    reason: text,
  })
  .refine(({ from, until }) => from === undefined || until === undefined || from < until, {
    path: ['until'],
    message: 'must be after from',
  });

const ban = z.strictObject({ item, until: instant.optional(), reason: text });

export const rulesSchema = z.strictObject({
  /** Overrides `heat.cap`. */
  cap: z.number().int().min(1).max(10_000).optional(),
  rules: z.array(rule).max(MOST_RULES).default([]),
  pins: z.array(pin).max(MOST_RULES).default([]).refine(namesEachOnce, { message: 'names an item twice' }),
  bans: z.array(ban).max(MOST_RULES).default([]).refine(namesEachOnce, { message: 'names an item twice' }),
});

/** Every key that a file of rules may have. */
export const RULES_KEYS: string[] = [rulesSchema, rule, busy, surge, concentrated, pin, ban].flatMap(
  ({ shape }) => Object.keys(shape),
);

export type RulesFile = z.output<typeof rulesSchema>;
export type Rule = RulesFile['rules'][number];

export const NO_RULES: RulesFile = { rules: [], pins: [], bans: [] };

function namesEachOnce(entries: { item: string }[]): boolean {
  return new Set(entries.map((entry) => entry.item)).size === entries.length;
}
