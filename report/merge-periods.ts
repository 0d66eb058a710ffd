import type { HotPeriod } from '../store/event-questions.ts';

/** A period as one or more nodes decided it. */
export type MergedPeriod = Omit<HotPeriod, 'node'> & { nodes: string[] };

/** Periods of an item by one signal that overlap are one, whichever nodes decided them. By their beginning. */
export function mergePeriods(periods: HotPeriod[], to: number): MergedPeriod[] {
  const merged: MergedPeriod[] = [];
  const open = new Map<string, MergedPeriod>();
  for (const { node, ...period } of periods.toSorted((a, b) => a.since - b.since)) {
    const key = JSON.stringify([period.item, period.signal]);
    const before = open.get(key);
    if (before === undefined || endOf(before, to) < period.since) {
      const one = { ...period, nodes: [node] };
      open.set(key, one);
      merged.push(one);
      continue;
    }
    if (!before.nodes.includes(node)) before.nodes.push(node);
    before.dryRun &&= period.dryRun;
    before.actions = [...new Set([...before.actions, ...period.actions])];
    if (endsLater(period, before, to)) {
      const { until, lostAt } = period;
      delete before.until;
      delete before.lostAt;
      Object.assign(before, until !== undefined && { until }, lostAt !== undefined && { lostAt });
    }
  }
  return merged;
}

type Ended = Pick<HotPeriod, 'until' | 'lostAt'>;

/** When it was over, at the latest; `to` if it lasts. */
export function endOf({ until, lostAt }: Ended, to: number): number {
  return until ?? lostAt ?? to;
}

/** Of two that end at the same moment, one lasts, or its end was recorded. */
function endsLater(one: Ended, other: Ended, to: number): boolean {
  const by = endOf(one, to) - endOf(other, to);
  return by > 0 || (by === 0 && one.lostAt === undefined);
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

type Span = { from: number; to: number };

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
