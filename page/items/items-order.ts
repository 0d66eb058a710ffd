import type { ItemsAnswer } from '../../sidecar/routes/answers.ts';

/** An item of the list, with what it is found and sorted by. */
export type Entry = { views: Listed; name: string; text: string };

type Listed = ItemsAnswer['items'][number];

export const SORTS = ['views', 'item', 'visitors', 'bots', 'prefetches', 'others', 'all', 'last'] as const;
export type Sort = (typeof SORTS)[number];
export type Order = { sort: Sort; isDown: boolean };

const collator = new Intl.Collator(undefined, { numeric: true });

export function toEntry(views: Listed): Entry {
  const name = views.catalogue?.name ?? views.item;
  return { views, name, text: `${name}\n${views.item}`.toLocaleLowerCase() };
}

export function matches({ text, views }: Entry, find: string, category: string): boolean {
  return (find === '' || text.includes(find)) && (category === '' || views.catalogue?.category === category);
}

export function compareBy({ sort, isDown }: Order): (a: Entry, b: Entry) => number {
  const sign = isDown ? -1 : 1;
  if (sort === 'item') return (a, b) => sign * collator.compare(a.name, b.name) || compareIds(a, b);
  return (a, b) => sign * (a.views[sort] - b.views[sort]) || compareIds(a, b);
}

/** What is there already stays in its order; what is new comes last. */
export function inOrderOf(before: readonly Entry[], now: readonly Entry[]): Entry[] {
  const left = new Map(now.map((entry) => [entry.views.item, entry]));
  const known = before.flatMap(({ views }) => {
    const entry = left.get(views.item);
    left.delete(views.item);
    return entry ?? [];
  });
  return [...known, ...left.values()];
}

function compareIds({ views: a }: Entry, { views: b }: Entry): number {
  return a.item < b.item ? -1 : 1;
}
