import { createHash } from 'node:crypto';
import type { Change, Decision, Numbers } from '../detect/decisions.ts';
import type { HotDecision } from '../event/decision-fields.ts';
import { DECISION_FIELDS } from '../event/decision-fields.ts';
import { actedOn } from './hot-items.ts';
import type { Override } from './overrides.ts';

export type ToldDecision = {
  /** What happened; `stays` to tell again what is hot. */
  change: Omit<Change, 'change'> & { change: HotDecision['change'] };
  node: string;
  /** ms since 1970. */
  now: number;
  /** What the item is hot by after it. */
  hot: readonly Decision[];
  /** Who decided. */
  by: string;
  /** The pin or ban that is in force for the item. */
  override: Override | undefined;
  /** Items that the cap holds back. */
  held: number;
};

const TIME_DIGITS = 12;
const HASH_DIGITS = 20;

/** A decision as it is told: with all that the item is after it, so that the last one of an item is enough. */
export function toToldDecision({ change, node, now, hot, by, override, held }: ToldDecision): HotDecision {
  const { item, signal, since, until, rule, dryRun, version } = change;
  const time = Math.max(0, Math.trunc(now));
  return {
    v: 1,
    id: idOf(time, [node, item, signal, change.change, version, since]),
    time,
    node: text('node', node),
    item: text('item', item),
    state: hot.length > 0 ? 'hot' : 'cold',
    signals: hot.map((one) => one.signal),
    actions: actedOn(hot)[0]?.actions ?? [],
    change: change.change,
    signal,
    reason: text('reason', change.reason),
    since: Math.max(0, Math.trunc(since)),
    ...(until !== undefined && { until: Math.trunc(until) }),
    rule: text('rule', rule),
    ...(dryRun && { dry_run: true }),
    decided_by: text('decided_by', by),
    version,
    ...numbersOf(change.numbers),
    ...(held > 0 && { held }),
    ...(override !== undefined && {
      override: override.kind,
      override_by: text('override_by', override.by),
      override_reason: text('override_reason', override.reason),
    }),
  };
}

/** Of 32 hex digits, the first of them the time, as the id of an event. */
function idOf(time: number, parts: readonly (string | number)[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return `${time.toString(16).padStart(TIME_DIGITS, '0').slice(-TIME_DIGITS)}${hash.slice(0, HASH_DIGITS)}`;
}

function numbersOf(numbers: Numbers | undefined): Partial<HotDecision> {
  if (numbers === undefined) return {};
  const { viewsPerSecond, beforePerSecond, baselinePerSecond, heaviestViews, estimated } = numbers;
  return {
    window_seconds: numbers.windowSeconds,
    ...(viewsPerSecond !== undefined && { views_per_second: viewsPerSecond }),
    visitors: numbers.visitors,
    ...(beforePerSecond !== undefined && { before_per_second: beforePerSecond }),
    ...(baselinePerSecond !== undefined && { baseline_per_second: baselinePerSecond }),
    ...(heaviestViews !== undefined && { heaviest_views: heaviestViews }),
    ...(estimated && { estimated: true }),
  };
}

type Texts = 'node' | 'item' | 'reason' | 'rule' | 'decided_by' | 'override_by' | 'override_reason';

/** Names are anybody's: cut, and without halves of characters, which no index takes. */
function text(name: Texts, value: string): string {
  const cut = value.slice(0, DECISION_FIELDS[name].longest).toWellFormed();
  return cut === '' ? 'none' : cut;
}
