import type { Meter } from '../service/metrics.ts';

/** Times in ms since 1970: when counting began, and of the last line. */
export type Seen<Field extends string> = Record<Field, number> & { since: number; at: number };

/** Counts the requests of which nginx wrote one of a few words: in all, and for each item that is hot. */
export type Tally<Field extends string> = {
  /** What a word is counted as; undefined for a word that nginx does not write. */
  fieldOf(word: string): Field | undefined;
  add(field: Field, count: number, item: string): void;
  /** Since the item is followed; undefined while nginx has written none. */
  of(item: string): Seen<Field> | undefined;
  /** Of all items, since the start. */
  total(): Seen<Field> | undefined;
  /** Counts of other items are forgotten. */
  follow(items: ReadonlySet<string>): void;
};

export type TallyOptions<Field extends string> = {
  /** Zero for each field. The word of `wouldLimit` is `would_limit`. */
  none: Record<Field, number>;
  meterOf: (word: string) => Meter;
  now: () => number;
};

export function createTally<Field extends string>({ none, meterOf, now }: TallyOptions<Field>): Tally<Field> {
  const fields = new Map<string, Field>();
  for (const field in none) fields.set(wordOf(field), field);
  const items = new Map<string, Counted<Field>>();
  const total = begin();
  let meters: ReadonlyMap<Field, Meter> | undefined;
  return {
    fieldOf: (word) => fields.get(word),
    add(field, count, item) {
      // All of them, once nginx is known to write some: none of a kind is then a fact.
      meters ??= new Map([...fields].map(([word, one]) => [one, meterOf(word)]));
      meters.get(field)?.add(count);
      // Those of other items are in the total only: workers of nginx may write any name.
      for (const one of [total, items.get(item)]) {
        if (one === undefined) continue;
        one.counts[field] += count;
        one.times.at = now();
      }
    },
    of: (item) => seen(items.get(item)),
    total: () => seen(total),
    follow(wanted) {
      for (const item of items.keys()) if (!wanted.has(item)) items.delete(item);
      for (const item of wanted) if (!items.has(item)) items.set(item, begin());
    },
  };

  function begin(): Counted<Field> {
    return { counts: { ...none }, times: { since: now(), at: 0 } };
  }
}

type Counted<Field extends string> = {
  counts: Record<Field, number>;
  times: { since: number; at: number };
};

function seen<Field extends string>(counted: Counted<Field> | undefined): Seen<Field> | undefined {
  return counted === undefined || counted.times.at === 0
    ? undefined
    : { ...counted.counts, ...counted.times };
}

function wordOf(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
