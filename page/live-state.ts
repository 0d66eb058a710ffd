import { factsOf, type LiveChange, type LiveItem, type LiveSeries, type LiveSnapshot } from '../heat/live.ts';

/** What the page knows: the last snapshot with all changes since. */
export function applyChange(before: LiveSnapshot, { head, items, gone, happened }: LiveChange): LiveSnapshot {
  const passed = head.five - before.head.five;
  const known = new Map(before.items.map((item) => [item.item, item]));
  for (const item of gone) known.delete(item);
  for (const change of items) {
    if ('series' in change) {
      known.set(change.item, change);
      continue;
    }
    const old = known.get(change.item);
    if (old === undefined) continue;
    const { tail, facts = factsOf(old), ...numbers } = change;
    known.set(change.item, { ...numbers, ...facts, series: moved(old.series, tail, passed) });
  }
  return { head, items: [...known.values()], happened: happened ?? before.happened };
}

/** A series `passed` five seconds later, of which `tail` is the end. */
function moved(series: LiveSeries, tail: LiveSeries, passed: number): LiveSeries {
  return { all: shifted(series.all, tail.all, passed), people: shifted(series.people, tail.people, passed) };
}

function shifted(counts: number[], tail: number[], passed: number): number[] {
  return [...counts.slice(passed, counts.length + passed - tail.length), ...tail];
}

/** The items in their order: the one with the most views by people first. */
export function ranked(items: readonly LiveItem[]): LiveItem[] {
  return [...items].sort((a, b) => b.ten.people - a.ten.people || b.ten.all - a.ten.all || compare(a, b));
}

function compare(a: LiveItem, b: LiveItem): number {
  return a.item < b.item ? -1 : 1;
}
