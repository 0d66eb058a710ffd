import type { CatalogueItem } from '../event/catalogue-item.ts';
import { hashOfItem } from './address.ts';
import { type Child, el, setAttribute, setText } from './dom.ts';
import { count } from './words.ts';

/* Cells of tables. Roles are written out: where a row is a block, a screen reader would not take it for one of a table. */

export function cell(name: string, ...children: Child[]): HTMLElement {
  return el('td', { role: 'cell', class: name }, ...children);
}

/** `label` stands above it where the row is a block. */
export function labelled(name: string, label: string, ...children: Child[]): HTMLElement {
  return el('td', { role: 'cell', class: name, 'data-label': label }, ...children);
}

export function rowHeader(name: string, ...children: Child[]): HTMLElement {
  return el('th', { scope: 'row', role: 'rowheader', class: name }, ...children);
}

export function row(...cells: Child[]): HTMLElement {
  return el('tr', { role: 'row' }, ...cells);
}

/** A link to an item, by its name where the catalogue has one, with what else the catalogue says below it. */
export type ItemName = {
  element: HTMLElement;
  update(item: string, catalogue: CatalogueItem | undefined): void;
};

/** `mark`: stands right behind the name, where it is not cut off. */
export function createItemName(mark?: HTMLElement): ItemName {
  const name = el('bdi');
  const link = el('a', { class: 'name' }, name);
  const meta = el('span', { class: 'meta' });
  const element = el('span', {}, link, mark, meta);
  return {
    element,
    update(item, catalogue = {}) {
      setAttribute(link, 'href', hashOfItem(item));
      setText(name, catalogue.name ?? item);
      setText(meta, metaOf(item, catalogue));
    },
  };
}

/** What an answer says of an item; an item may be called `constructor`. */
export function ofItem<Said>(all: Record<string, Said> | undefined, item: string): Said | undefined {
  return all !== undefined && Object.hasOwn(all, item) ? all[item] : undefined;
}

/** What the catalogue says about an item beside its name. */
export function metaOf(item: string, { name, category, price, stock }: CatalogueItem): string {
  return [
    category,
    name === undefined ? undefined : item,
    price,
    stock === undefined ? undefined : stockOf(stock),
  ]
    .filter((text) => text !== undefined && text !== '')
    .join(' · ');
}

function stockOf(stock: number): string {
  return stock <= 0 ? 'sold out' : `${count(stock)} in stock`;
}
