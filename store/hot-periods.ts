import type { HotPeriod, HotPeriodsQuery, PastDecision } from './event-questions.ts';

/** Maximum number of decisions that an index reads for one answer: the latest. */
export const MOST_DECISIONS = 5_000;
/**
 * A hot item is published again once a day, so an item that is hot at the beginning of a range has a decision within this time before it.
 */
export const REPEATED_MS = 25 * 3_600_000;

export type Ended = Pick<HotPeriod, 'until' | 'lostAt'>;

/** When it was over, at the latest; `to` if it lasts. */
export function endOf({ until, lostAt }: Ended, to: number): number {
  return until ?? lostAt ?? to;
}

/** The periods that `decisions` tell of. An item that the cap held back was not hot. Each decision says since when and why, so any of a period's is enough. */
export function periodsOf(decisions: PastDecision[], { from, to, limit }: HotPeriodsQuery): HotPeriod[] {
  const periods = new Map<string, HotPeriod>();
  const toldAt = new Map<string, number>();
  for (const decision of decisions.toSorted((a, b) => a.time - b.time)) {
    if (decision.change === 'held') continue;
    const { node, item, signal, since } = decision;
    const key = JSON.stringify([node, item, signal, since]);
    const known = periods.get(key) ?? begun(decision);
    // An end before the beginning: the clock was set back in between.
    const until = Math.max(decision.time, since);
    periods.set(key, decision.change === 'leaves' ? { ...known, until } : known);
    toldAt.set(JSON.stringify([node, item]), decision.time);
  }
  const nextOf = new Map<string, number>();
  return [...periods.values()]
    .sort((a, b) => b.since - a.since || (a.item < b.item ? -1 : 1))
    .map(ended)
    .filter((period) => period.since < to && endOf(period, to) > from)
    .slice(0, limit);

  /**
   * Where nothing was told for longer than a repetition takes, or the item turned hot again, the end was not recorded: the period does not
   * last for ever.
   */
  function ended(period: HotPeriod): HotPeriod {
    const { node, item, signal, since, until } = period;
    const key = JSON.stringify([node, item, signal]);
    const next = nextOf.get(key) ?? Number.POSITIVE_INFINITY;
    nextOf.set(key, since);
    if (until !== undefined) return period;
    const lostAt = Math.min(next, (toldAt.get(JSON.stringify([node, item])) ?? 0) + REPEATED_MS);
    return lostAt < to ? { ...period, lostAt } : period;
  }
}

function begun(decision: PastDecision): HotPeriod {
  const { item, node, signal, since, reason, rule, actions, dry_run, views_per_second, visitors } = decision;
  return {
    item,
    node,
    signal,
    since,
    reason,
    rule,
    dryRun: dry_run === true,
    actions,
    ...(views_per_second !== undefined && { viewsPerSecond: views_per_second }),
    ...(visitors !== undefined && { visitors }),
  };
}
