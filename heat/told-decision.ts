import { createHash } from 'node:crypto';
import type { Change, Decision, Numbers } from '../detect/decisions.ts';
import type { HotDecision } from '../event/decision-fields.ts';
import { DECISION_FIELDS } from '../event/decision-fields.ts';
import { actedOn } from './hot-items.ts';
import type { Override } from './overrides.ts';

export type ToldDecision = {
  /** What happened; `stays` repeats that an item is hot. */
  change: Omit<Change, 'change'> & { change: HotDecision['change'] };
  node: string;
  /** ms since 1970. */
  now: number;
  /** The signals by which the item is hot after it. */
  hot: readonly Decision[];
  /** Who decided. */
  by: string;
  /** The pin or ban in effect for the item. */
  override: Override | undefined;
  /** Number of items that the cap holds back. */
  held: number;
};

const TIME_DIGITS = 12;
const HASH_DIGITS = 20;

/**
 * A decision in the form in which it is delivered: with the complete state of the item after it, so that the last decision of an item is
 * sufficient.
 */
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

/** 32 hex digits that begin with the time, like the id of an event. */
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

/** Names are untrusted text: truncated, and without unpaired surrogates, which no index accepts. */
function text(name: Texts, value: string): string {
  const cut = value.slice(0, DECISION_FIELDS[name].longest).toWellFormed();
  return cut === '' ? 'none' : cut;
}
