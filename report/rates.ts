import type { Report } from './report.ts';

/** An interval of the curve: views a second, from when on, and over how long. */
export type Rate = { from: number; ms: number; people: number; all: number };

/** The curve as rates. The last interval ends with the report: where less than half of it is over, it counts with the one before. */
export function ratesOf({
  curve: { stepMs, people, all },
  range: { from, to },
}: {
  curve: Report['curve'];
  range: { from: number; to: number };
}): Rate[] {
  const last = to - from - (all.length - 1) * stepMs;
  const count = all.length > 1 && last < stepMs / 2 ? all.length - 1 : all.length;
  return Array.from({ length: count }, (_, i) => {
    const isLast = i === count - 1;
    const begin = from + i * stepMs;
    const ms = isLast ? to - begin : stepMs;
    const rate = (views: number[]) =>
      (views.slice(i, isLast ? undefined : i + 1).reduce((sum, one) => sum + one, 0) * 1_000) / ms;
    return { from: begin, ms, people: rate(people), all: rate(all) };
  });
}

/** The busiest of them. */
export function peakOf(rates: Rate[]): Rate | undefined {
  return rates.reduce<Rate | undefined>((best, one) => (one.all > (best?.all ?? 0) ? one : best), rates[0]);
}
