import { type Loss, PAUSE_MS } from '../service/losses.ts';
import type { ReportLosses } from './report.ts';

/**
 * What of `losses` falls into a range. A service records the latest spell of each loss, and how much was lost in all: of earlier spells it
 * knows only that they ended an hour before.
 */
export function lossesWithin(
  losses: Loss[],
  { from, to }: { from: number; to: number },
  whyOf: (reason: string) => string,
): Pick<ReportLosses, 'list' | 'earlier'> {
  const list = losses
    // What turned out not to be lost stays recorded with none.
    .filter(({ views, first, last }) => views > 0 && first < to && last >= from)
    .map(({ reason, views, first, last }) => ({
      reason,
      why: whyOf(reason),
      views,
      first,
      last,
      isWithin: first >= from && last < to,
    }));
  const earlier = losses
    .filter(({ first }) => first - PAUSE_MS > from)
    .reduce((sum, { total, views }) => sum + total - views, 0);
  return { list, earlier };
}
