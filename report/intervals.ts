const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Lengths that a reader can tell at a glance. */
const LENGTHS = [
  ...[1, 2, 5, 10, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 7, 30].map((n) => n * DAY),
];

/** The shortest interval from `least` on of which at most `most` are as long as `ms`. */
export function intervalOf(ms: number, most: number, least = 0): number {
  return LENGTHS.find((length) => length >= least && ms / length <= most) ?? Math.ceil(ms / most);
}
