import { peakOf, ratesOf } from './rates.ts';
import {
  isKnown,
  lostIn,
  onTheWay,
  type Report,
  type ReportPeriod,
  type ReportRules,
  type Unknown,
} from './report.ts';
import { ticksOf } from './ticks.ts';

/** Numbers and times of a report, in English and in its time zone. */
export type Words = {
  number(value: number): string;
  /** `18:04:11`, with the date unless the range is of one day, and with the zone where that changes within it. */
  time(ms: number): string;
  /** Round times, for an axis: `18:04`, `18:04:30` or `27 Nov`, as far apart as they are. */
  ticks: { ms: number; label: string }[];
  /** `27 November 2026, 18:00:00 CET to 22:00:00 CET` */
  range: string;
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MOST_LOOKED = 1_000;

/** A rate of a small shop is no 0. */
const SMALL = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 2 });
const FEW = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 1 });
const MANY = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });

const SIGNALS: Readonly<Record<string, string>> = {
  surge: '▲ surge',
  busy: '■ busy',
  pin: '● pinned',
  concentrated: '◆ few visitors',
};

/** What nginx is told, the weightiest first. */
const ACTIONS: Readonly<Record<string, string>> = {
  cache: 'cache it',
  limit: 'limit it',
  isolate: 'isolate it',
  announce: 'tell the application',
};

export function wordsOf({ range, timeZone }: Pick<Report, 'range' | 'timeZone'>): Words {
  const formatted = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-GB', { timeZone, ...options });
  const day = formatted({ dateStyle: 'long' });
  const short = formatted({ day: 'numeric', month: 'short' });
  const zoned = formatted({ timeStyle: 'long' });
  const clock = changesZone(range, timeZone) ? zoned : formatted({ timeStyle: 'medium' });
  const { stepMs, times } = ticksOf(range, timeZone);
  const label = stepMs >= DAY ? short : formatted({ timeStyle: stepMs >= MINUTE ? 'short' : 'medium' });
  const first = day.format(range.from);
  const isOneDay = first === day.format(range.to);
  // A change to summer time gives the end another zone than the beginning.
  const until = `${isOneDay ? '' : `${day.format(range.to)}, `}${zoned.format(range.to)}`;
  return {
    number: (value) => (Math.abs(value) < 1 ? SMALL : value < 100 ? FEW : MANY).format(value),
    time: (ms) =>
      isOneDay && day.format(ms) === first ? clock.format(ms) : `${short.format(ms)}, ${clock.format(ms)}`,
    ticks: times.map((ms) => ({ ms, label: label.format(ms) })),
    range: `${first}, ${zoned.format(range.from)} to ${until}`,
  };
}

/** Whether a clock in this zone is changed within the range: then an hour may come twice. */
function changesZone({ from, to }: Report['range'], timeZone: string): boolean {
  const name = new Intl.DateTimeFormat('en-GB', { timeZone, timeZoneName: 'longOffset', hour: 'numeric' });
  const offset = (ms: number) => name.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value;
  const step = Math.max(6 * HOUR, (to - from) / MOST_LOOKED);
  const first = offset(from);
  for (let ms = from + step; ms < to; ms += step) if (offset(ms) !== first) return true;
  return offset(to) !== first;
}

/** `≈ 4,300`: the index estimated them. */
export function visitorsIn(
  { visitors, estimated }: { visitors: number; estimated?: true },
  number: Words['number'],
): string {
  return `${estimated ? '≈ ' : ''}${number(visitors)}`;
}

/** `2 h 59 min`, `7 min`, `34 s`. */
export function durationOf(ms: number): string {
  if (ms < MINUTE) return ms < 10_000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms / 1_000)} s`;
  const minutes = Math.round(ms / MINUTE);
  if (minutes < 60) return `${minutes} min`;
  const [hours, left] = [Math.floor(minutes / 60), minutes % 60];
  if (hours < 48) return left === 0 ? `${hours} h` : `${hours} h ${left} min`;
  return hours % 24 === 0 ? `${hours / 24} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The first sentences: what somebody reads who reads nothing else. */
export function leadOf(report: Report, { number, time }: Words): { hot: string; rest: string } {
  const { periods, range, accounting, totals } = report;
  const items = new Set(periods.list.map(({ item }) => item)).size;
  const hot =
    periods.list.length === 0
      ? 'Nothing was hot.'
      : `${periods.more > 0 ? 'At least ' : ''}${number(items)} ${items === 1 ? 'item was' : 'items were'} hot.`;
  const peak = peakOf(ratesOf(report));
  const busiest =
    peak === undefined || peak.all === 0
      ? 'There were no views.'
      : `At the peak, ${time(peak.from)}, item pages were asked for ${number(peak.all)} times a second over ${durationOf(peak.ms)}.`;
  const coming = onTheWay(accounting);
  // With a sink that keeps up, some are always on the way.
  const late =
    coming * 100 > totals.all
      ? ` ${number(coming)} views were not in the index yet when this was made: there may be more than it says.`
      : '';
  const running = range.isRunning ? ` It goes on: this is up to ${time(range.to)}.` : '';
  return { hot, rest: `${busiest} ${lossOf(accounting.lost, number)}${late}${running}` };
}

/** What nginx was told to do about it. */
export function doneOf({ dryRun, actions }: Pick<ReportPeriod, 'dryRun' | 'actions'>): string {
  const told = actions
    .map((action) => (Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : action))
    .join(', ');
  if (told === '') return 'nothing';
  return dryRun ? `nothing, a dry run (would: ${told})` : told;
}

export function signalOf(signal: string): string {
  return Object.hasOwn(SIGNALS, signal) ? (SIGNALS[signal] ?? signal) : signal;
}

/** Why there are no views to try rules with, as the end of a sentence. */
export function whyNone({ source, isCut, damage }: Pick<ReportRules, 'source' | 'isCut' | 'damage'>): string {
  if (isCut) return `the time for it was over before any was read in ${source} (--rules-seconds)`;
  if (damage !== undefined)
    return `what can be read in ${source} has none of this time, and a part cannot be read`;
  return `the events of this time are not in ${source}`;
}

export function notKnown({ unknown }: Unknown): string {
  return `Not known: ${unknown}.`;
}

function lossOf(lost: Report['accounting']['lost'], number: Words['number']): string {
  if (!isKnown(lost)) return 'Whether views were lost is not known.';
  const { views, isSure } = lostIn(lost);
  const asFar = lost.notAsked.length === 0 ? '' : ', as far as the services know that reported';
  if (views === 0) return `No view was lost${asFar}.`;
  return `${isSure ? '' : 'Up to '}${number(views)} views were lost${asFar}.`;
}
