import type { CatalogueItem } from '../../event/catalogue-item.ts';
import { json, type Route } from '../../service/admin/admin.ts';

/** What is shown of a catalogue. */
export type ShownCatalogue = {
  items(): { get(item: string): CatalogueItem | undefined; categories(most: number): string[] } | undefined;
  /** Undefined if none is configured. */
  state(): object | undefined;
};

const MOST_CATEGORIES = 1_000;

/** `GET /api/v1/catalogue`: how many items it has, its first categories, and what is wrong with it. `?item=4711`: what it says about that. */
export function createCatalogueRoute({ items, state }: ShownCatalogue): Route {
  return ({ searchParams }) => {
    const known = state();
    if (known === undefined) return json(404, { error: 'there is no catalogue: catalogue.file is not set' });
    const item = searchParams.get('item');
    if (item === null) return json(200, { ...known, categories: categories() });
    const found = items()?.get(item);
    if (found === undefined) return json(404, { error: 'the catalogue does not have this item' });
    return json(200, { item, ...found });
  };

  /** Cut before they are sorted: sorting all that a catalogue may have takes half a second. */
  function categories(): string[] {
    return (items()?.categories(MOST_CATEGORIES) ?? []).sort((a, b) => a.localeCompare(b));
  }
}
