import { nearest } from '../service/config/explain.ts';
import { COLUMNS, type ColumnName } from './row.ts';

/** The headings, or keys, that a file has: a misspelt one looks like a column that nobody needs. */
export type SeenColumns = {
  add(heading: string): void;
  /** What is probably misspelt, a sentence each; empty if all columns are there, or if nothing looks like those that are missing. */
  problems(): string[];
};

const MOST_SEEN = 200;
const LONGEST_HEADING = 64;
const MOST_SHOWN = 8;
const OPTIONAL = COLUMNS.filter((name) => name !== 'id');

/** `names`: the heading of each column. In CSV `add` gets headings in small letters: their case does not matter there. */
export function createSeenColumns(names: Record<ColumnName, string>, isCsv: boolean): SeenColumns {
  const known = new Set(COLUMNS.map(spelt));
  const seen = new Set<string>();
  return {
    add(heading) {
      const isKept = known.has(heading) || (seen.size < MOST_SEEN && heading.length <= LONGEST_HEADING);
      if (isKept) seen.add(heading);
    },
    problems() {
      const missing = OPTIONAL.filter((name) => !seen.has(spelt(name)));
      const others = [...seen].filter((heading) => !known.has(heading) && heading !== '');
      const headings = missing.map(spelt);
      const misspelt = others
        .map((heading) => ({ heading, hint: hintOf(heading, headings, [...known]) }))
        .filter(({ hint }) => hint !== '');
      if (misspelt.length > 0)
        return misspelt.map(({ heading, hint }) => `${JSON.stringify(heading)} is not read${hint}`);
      const unmet = missing.filter((name) => names[name].toLowerCase() !== name);
      if (unmet.length > 0)
        return unmet.map(
          (name) => `no row has ${JSON.stringify(names[name])}, which catalogue.columns.${name} names`,
        );
      if (missing.length < OPTIONAL.length || others.length === 0) return [];
      const shown = others.slice(0, MOST_SHOWN).map((heading) => JSON.stringify(heading));
      return [`only ids are read, and not ${shown.join(', ')}${others.length > MOST_SHOWN ? ', …' : ''}`];
    },
  };

  function spelt(name: ColumnName): string {
    return isCsv ? names[name].toLowerCase() : names[name];
  }
}

/** Empty if it is like none of those that are missing, or more like one that is there. */
function hintOf(heading: string, missing: string[], all: string[]): string {
  const lower = heading.toLowerCase();
  const near = missing.find((name) => name.toLowerCase() === lower) ?? nearest(heading, all);
  return near !== undefined && missing.includes(near) ? `, did you mean ${near}?` : '';
}
