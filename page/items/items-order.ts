import type { ItemsAnswer } from '../../sidecar/routes/answers.ts';

/** An item of the list, with what it is found and sorted by. */
export type Entry = { views: Listed; name: string; text: string };

type Listed = ItemsAnswer['items'][number];

export const SORTS = ['views', 'item', 'visitors', 'bots', 'prefetches', 'others', 'all', 'last'] as const;
export type Sort = (typeof SORTS)[number];
export type Order = { sort: Sort; isDown: boolean };

const NOT_ASCII = /\P{ASCII}/u;
const collator = new Intl.Collator(undefined, { numeric: true });

export function toEntry(views: Listed): Entry {
  const name = views.catalogue?.name ?? views.item;
  return { views, name, text: folded(`${name}\n${views.item}`) };
}

/**
 * A text as it is searched for: without case and accents, in one of the ways to compose it. It is the same in every language of a browser: in
 * Turkish, the small letter of `I` is `ı`, and a name in capitals would not be found.
 */
export function folded(text: string): string {
  // Ten thousand at once: most are plain.
  if (!NOT_ASCII.test(text)) return text.toLowerCase();
  return text
    .normalize('NFKD')
    .replaceAll(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replaceAll('ı', 'i');
}

/** `find`: folded. */
export function matches({ text, views }: Entry, find: string, category: string): boolean {
  return (find === '' || text.includes(find)) && (category === '' || views.catalogue?.category === category);
}

export function compareBy({ sort, isDown }: Order): (a: Entry, b: Entry) => number {
  const sign = isDown ? -1 : 1;
  if (sort === 'item') return (a, b) => sign * collator.compare(a.name, b.name) || compareIds(a, b);
  return (a, b) => sign * (a.views[sort] - b.views[sort]) || compareIds(a, b);
}

function compareIds({ views: a }: Entry, { views: b }: Entry): number {
  return a.item < b.item ? -1 : 1;
}
