import { ageOf, type Entry, isKept } from './entry.ts';

export type DueOptions = {
  time: number;
  /** How long nginx shows a page that is not refreshed. */
  staleMs: number;
  /** Whether new pages may be examined now. */
  mayLook: boolean;
};

/**
 * What is to be asked for now, in order: pages that are kept and half as old as they may be, new ones, all others that are kept, those that
 * are due for longest first.
 */
export function dueOf(entries: Iterable<Entry>, { time, staleMs, mayLook }: DueOptions): Entry[] {
  const due = [...entries].filter(({ work, dueAt }) => work === undefined && dueAt <= time);
  const kept = due.filter(isKept).toSorted((a, b) => a.dueAt - b.dueAt);
  const isUrgent = (entry: Entry) => ageOf(entry, time) >= staleMs / 2;
  return [
    ...kept.filter(isUrgent),
    ...(mayLook ? due.filter((entry) => !isKept(entry)) : []),
    ...kept.filter((entry) => !isUrgent(entry)),
  ];
}
