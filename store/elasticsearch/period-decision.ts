import * as z from 'zod';
import { CHANGES } from '../../event/decision-fields.ts';
import type { PastDecision } from '../event-questions.ts';

/** Synthetic `_source` (logsdb) has a list of one value as that value. */
const texts = z.union([z.array(z.string()), z.string().transform((text) => [text])]);

/** What of a decision's document a period is made of, at the paths of `DECISION_FIELDS`. */
const document = z.object({
  '@timestamp': z.string(),
  host: z.object({ name: z.string() }),
  event: z.object({ action: z.enum(CHANGES), reason: z.string(), start: z.string() }),
  rule: z.object({ name: z.string() }),
  hot_item: z.object({
    id: z.string(),
    signal: z.string(),
    actions: texts.default([]),
    dry_run: z.boolean().optional(),
    views_per_second: z.number().optional(),
    visitors: z.number().optional(),
  }),
});

/** The paths of `document`: what is asked for. */
export const PERIOD_FIELDS = [
  '@timestamp',
  'host.name',
  'event.action',
  'event.reason',
  'event.start',
  'rule.name',
  'hot_item.id',
  'hot_item.signal',
  'hot_item.actions',
  'hot_item.dry_run',
  'hot_item.views_per_second',
  'hot_item.visitors',
];

/** Undefined for a document that somebody else wrote into the data stream. */
export function toPeriodDecision(source: unknown): PastDecision | undefined {
  const { success, data } = document.safeParse(source);
  if (!success) return undefined;
  const { event, host, rule, hot_item } = data;
  const [time, since] = [Date.parse(data['@timestamp']), Date.parse(event.start)];
  if (Number.isNaN(time) || Number.isNaN(since)) return undefined;
  const { id: item, signal, actions, dry_run, views_per_second, visitors } = hot_item;
  return {
    time,
    since,
    item,
    signal,
    actions,
    node: host.name,
    change: event.action,
    reason: event.reason,
    rule: rule.name,
    ...(dry_run !== undefined && { dry_run }),
    ...(views_per_second !== undefined && { views_per_second }),
    ...(visitors !== undefined && { visitors }),
  };
}
