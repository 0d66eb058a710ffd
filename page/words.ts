/* Numbers and times in the reader's locale and time zone. */

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const some = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const share = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 0 });
const LEAST_SHARE = 0.01;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const hourAndMinute = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const dayAndClock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export const count = (value: number): string => whole.format(value);

/** Visitors of what was counted; `≈`: the index estimates them. */
export const visitorsOf = (counted: { visitors: number; estimated?: true }): string =>
  `${counted.estimated ? '≈ ' : ''}${count(counted.visitors)}`;

/** With a tenth where there is one. */
export const decimal = (value: number): string => some.format(value);

/** In whole percent; what is not nothing is not 0 %, and what is not all is not 100 %. */
export function percent(part: number): string {
  if (part > 0 && part < LEAST_SHARE) return `<${share.format(LEAST_SHARE)}`;
  if (part < 1 && part > 1 - LEAST_SHARE) return `>${share.format(1 - LEAST_SHARE)}`;
  return share.format(part);
}

/** Views a second, of `views` in `seconds`: with a tenth where it is less than ten. */
export function perSecond(views: number, seconds: number): string {
  const rate = views / seconds;
  return rate < 9.95 && rate > 0 ? tenth.format(rate) : whole.format(rate);
}

/** A time of day, with its date where that is not `now`'s. Both in ms since 1970. */
export function timeOfDay(time: number, now: number): string {
  const isToday = new Date(time).toDateString() === new Date(now).toDateString();
  return (isToday ? clock : dayAndClock).format(time);
}

/** Why it is not up to date, and of when what is shown is, ms since 1970; undefined if nothing is. */
export function notUpToDate(failure: string, at: number | undefined): string {
  const then = at === undefined ? '' : ` What is shown was so at ${timeOfDay(at, Date.now())}.`;
  return `Not up to date: ${failure}.${then}`;
}

/** The hour and the minute of a time. */
export function minuteOf(time: number): string {
  return hourAndMinute.format(time);
}

/** A time of an axis after the time `before`: with its day where that is another one, or where only days are told. */
export function shortTime(time: number, before: number | undefined, isDay: boolean): string {
  if (isDay) return day.format(time);
  const isSameDay = before !== undefined && new Date(time).toDateString() === new Date(before).toDateString();
  const clockTime = minuteOf(time);
  return isSameDay ? clockTime : `${day.format(time)} ${clockTime}`;
}

export const seconds = (ms: number): string => `${tenth.format(Math.max(0, ms) / 1_000)} s`;

/** How long `ms` is, in its two largest units. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${count(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${count(minutes)} min ${count(seconds % 60)} s`;
  if (minutes < 60) return `${count(minutes)} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${count(hours)} h ${count(minutes % 60)} min`;
  return `${count(Math.floor(hours / 24))} days`;
}

/** How old something is: with a tenth below ten seconds. */
export const age = (ms: number): string => (ms < 9_950 ? seconds(ms) : duration(ms));
