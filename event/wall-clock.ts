/** What a clock on a wall shows. The month counts from 1. */
export type WallClock = {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
};

const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * When a clock in `timeZone` (an IANA name) shows this, ms since 1970; undefined where it never does: there is no 30th of
 * February. An hour that comes twice in autumn counts as its first; one that is left out in spring is read as if the
 * clock had not been put forward yet.
 */
export function toInstant(clock: WallClock, timeZone: string): number | undefined {
  const { year, month, day, hour, minute, second } = clock;
  const asUtc = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(asUtc);
  const exists =
    date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!exists) return undefined;
  // The offset before a change of clocks first: it is never more than a day away.
  const before = asUtc - offsetAt(asUtc - 86_400_000, timeZone);
  if (before + offsetAt(before, timeZone) === asUtc) return before;
  const after = asUtc - offsetAt(asUtc + 86_400_000, timeZone);
  return after + offsetAt(after, timeZone) === asUtc ? after : before;
}

/** How far clocks in the zone are ahead of UTC at that instant, ms. */
function offsetAt(instant: number, timeZone: string): number {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const shown = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0;
  const asUtc = Date.UTC(
    shown('year'),
    shown('month') - 1,
    shown('day'),
    shown('hour'),
    shown('minute'),
    shown('second'),
  );
  return asUtc - Math.floor(instant / 1000) * 1000;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(timeZone, format);
  return format;
}
