import type { Report, ReportPeriod } from './report.ts';

/** Numbers and times of a report, in English and in its time zone. */
export type Words = {
  number(value: number): string;
  /** `18:04:11`, with the date where it is not the day on which the range begins. */
  time(ms: number): string;
  /** `27 November 2026, 18:00 to 22:00 CET` */
  range: string;
};

export function wordsOf({ range, timeZone }: Pick<Report, 'range' | 'timeZone'>): Words {
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'medium' });
  const day = new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'long' });
  const zone = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'long' });
  const first = day.format(range.from);
  const time = (ms: number) =>
    day.format(ms) === first ? clock.format(ms) : `${day.format(ms)}, ${clock.format(ms)}`;
  // A change to summer time gives the end another zone than the beginning.
  const until = `${day.format(range.to) === first ? '' : `${day.format(range.to)}, `}${zone.format(range.to)}`;
  return {
    number: (value) => value.toLocaleString('en-GB', { maximumFractionDigits: 1 }),
    time,
    range: `${first}, ${zone.format(range.from)} to ${until}`,
  };
}

/** In one sentence: what somebody reads who reads nothing else. */
export function leadOf(
  { periods, curve, accounting }: Report,
  { number, time }: Words,
  from: number,
): string {
  const items = new Set(periods.map(({ item }) => item)).size;
  const hot =
    items === 0 ? 'Nothing was hot.' : `${number(items)} ${items === 1 ? 'item was' : 'items were'} hot.`;
  const peak = curve.all.reduce((best, views, i) => (views > (curve.all[best] ?? 0) ? i : best), 0);
  const most = ((curve.all[peak] ?? 0) / curve.stepMs) * 1_000;
  const busiest =
    most === 0
      ? 'There were no views.'
      : `At the peak, ${time(from + peak * curve.stepMs)}, item pages were asked for ${number(most)} times a second.`;
  return `${hot} ${busiest} ${lossOf(accounting, number)}`;
}

/** What nginx was told to do about it. */
export function doneOf({ dryRun, actions }: ReportPeriod): string {
  if (dryRun) return 'nothing, a dry run';
  return actions.length === 0 ? 'nothing' : actions.join(', ');
}

function lossOf(accounting: Report['accounting'], number: Words['number']): string {
  if (accounting === undefined) return 'Whether views were lost is not known.';
  const lost = accounting.lost.reduce((sum, { views }) => sum + views, 0);
  return lost === 0 ? 'No view was lost.' : `${number(lost)} views were lost.`;
}
