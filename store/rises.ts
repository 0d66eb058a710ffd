import type { Rise, RisingQuery } from './event-questions.ts';

/** What an index counted of an item. `earlier`: distinct visitors of each window before, summed up. */
export type WindowCounts = { item: string; visitors: number; earlier: number; views: number };

/** An index looks at so many items for each that it lists: it finds them by views, which are cheaper to count than visitors. */
export const CANDIDATES_EACH = 4;

/** The steepest of `counts` that are a rise. Of an item that had no visitor before, the windows before count as one visitor together. */
export function risesOf(counts: WindowCounts[], query: RisingQuery): Omit<Rise, 'series'>[] {
  const { windowsBefore, leastVisitors, leastRatio, limit } = query;
  return counts
    .map(({ earlier, ...counted }) => {
      const ratio = (counted.visitors * windowsBefore) / Math.max(1, earlier);
      return { ...counted, before: earlier / windowsBefore, ratio };
    })
    .filter(({ visitors, ratio }) => visitors >= leastVisitors && ratio >= leastRatio)
    .sort((a, b) => b.ratio - a.ratio || b.visitors - a.visitors || (a.item < b.item ? -1 : 1))
    .slice(0, limit)
    .map(({ ratio: _, ...rise }) => rise);
}

/** A series without a view. */
export function zeros(length: number): number[] {
  return Array.from<number>({ length }).fill(0);
}

/** Where the first window begins. */
export function firstOf({
  to,
  windowMs,
  windowsBefore,
}: Pick<RisingQuery, 'to' | 'windowMs' | 'windowsBefore'>): number {
  return to - windowMs * (windowsBefore + 1);
}

/** Number of intervals of a series. */
export function intervalsOf({ windowMs, windowsBefore, stepMs }: RisingQuery): number {
  return Math.ceil((windowMs * (windowsBefore + 1)) / stepMs);
}
