import type { HotPeriod } from '../store/event-questions.ts';
import { type Ended, endOf, REPEATED_MS } from '../store/hot-periods.ts';

export type Span = { from: number; to: number };

/** A period as one or more nodes decided it. */
export type MergedPeriod = Omit<HotPeriod, 'node'> & {
  nodes: string[];
  /** Where and when nginx was told to cache the item, or may have been. */
  cached: CachedSpan[];
};

/** `refreshedTo`: until when the page was refreshed at least. */
export type CachedSpan = Span & { node: string; refreshedTo: number };

/** Periods of an item by one signal that overlap are one, whichever nodes decided them. By their beginning. */
export function mergePeriods(periods: HotPeriod[], to: number): MergedPeriod[] {
  const merged: MergedPeriod[] = [];
  const open = new Map<string, MergedPeriod>();
  for (const { node, ...period } of periods.toSorted((a, b) => a.since - b.since)) {
    const key = JSON.stringify([period.item, period.signal]);
    const before = open.get(key);
    if (before === undefined || endOf(before, to) < period.since) {
      const one = { ...period, nodes: [node], cached: cachedIn(node, period, to) };
      open.set(key, one);
      merged.push(one);
      continue;
    }
    if (!before.nodes.includes(node)) before.nodes.push(node);
    before.cached.push(...cachedIn(node, period, to));
    // What nodes in a dry run would have told their nginx was not told to any.
    if (before.dryRun === period.dryRun)
      before.actions = [...new Set([...before.actions, ...period.actions])];
    else if (before.dryRun) before.actions = period.actions;
    before.dryRun &&= period.dryRun;
    if (endsLater(period, before, to)) {
      const { until, lostAt } = period;
      delete before.until;
      delete before.lostAt;
      Object.assign(before, until !== undefined && { until }, lostAt !== undefined && { lostAt });
    }
  }
  return merged;
}

/** Of two that end at the same moment, one lasts, or its end was recorded. */
function endsLater(one: Ended, other: Ended, to: number): boolean {
  const by = endOf(one, to) - endOf(other, to);
  return by > 0 || (by === 0 && one.lostAt === undefined);
}

function cachedIn(node: string, period: Omit<HotPeriod, 'node'>, to: number): CachedSpan[] {
  const { since, lostAt, actions, dryRun } = period;
  if (dryRun || !actions.includes('cache')) return [];
  const end = endOf(period, to);
  // Of a sidecar that disappeared it is not known for how long it refreshed the page after the last that it told.
  const refreshedTo = lostAt === undefined ? end : Math.max(since, lostAt - REPEATED_MS);
  return [{ node, from: since, to: end, refreshedTo }];
}

/** How many items were hot at once by one signal on one node, at most: what a cap is about. */
export function mostAtOnce(periods: HotPeriod[], to: number): number {
  const changes = new Map<string, [time: number, by: number][]>();
  for (const period of periods) {
    const { node, signal, since } = period;
    const key = JSON.stringify([node, signal]);
    const known = changes.get(key) ?? [];
    known.push([since, 1], [endOf(period, to), -1]);
    changes.set(key, known);
  }
  let most = 0;
  for (const list of changes.values()) {
    let now = 0;
    // One that leaves makes room for one that enters at that moment.
    for (const [, by] of list.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
      now += by;
      most = Math.max(most, now);
    }
  }
  return most;
}

/** Spans that overlap as one. */
export function joinSpans(spans: Span[]): Span[] {
  const joined: Span[] = [];
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last === undefined || last.to < from) joined.push({ from, to });
    else last.to = Math.max(last.to, to);
  }
  return joined;
}
