import type { CatalogueRow } from './items.ts';

/** The columns of a catalogue, in the order in which the documentation lists them. */
export const COLUMNS = ['id', 'name', 'category', 'price', 'stock', 'image'] as const;
export type ColumnName = (typeof COLUMNS)[number];

/** The values of a row, as a file has them: text in CSV, text and numbers in NDJSON. */
export type RowValues = Partial<Record<ColumnName, unknown>>;

/** A row that can be used, and whether its image cannot; or why the row cannot be used. */
export type ReadRow = { row: CatalogueRow; imageDropped: boolean } | { problem: string };

export const LONGEST = { id: 256, name: 256, category: 128, price: 32, image: 2048 } as const;
const MOST_STOCK = 2_000_000_000;
const LONGEST_SHOWN = 60;
/** Control characters, overrides of the direction of text, and what stands for bytes that are not UTF-8. */
const FORBIDDEN = /[\p{Cc}\u202a-\u202e\u2066-\u2069\ufffd]/u;
/** In names they belong to emoji and to some scripts; in an id nobody sees them. */
const INVISIBLE = /\p{Cf}/u;
const PRICE = /^\d{1,12}(?:\.\d{1,6})?(?: [A-Z]{3})?$/;
const WHOLE = /^-?\d{1,10}$/;

type Read<Value> = { value: Value | undefined } | { problem: string };

/** Reads rows. An image is kept if it is https, of one of `imageHosts`, and of the usual port. */
export function createRowReader(imageHosts: readonly string[]): (values: RowValues) => ReadRow {
  const hosts = new Set(imageHosts.map((host) => host.toLowerCase()));
  return (values) => {
    const id = textOf('id', values.id);
    const name = textOf('name', values.name);
    const category = textOf('category', values.category);
    const price = priceOf(values.price);
    const stock = stockOf(values.stock);
    for (const read of [id, name, category, price, stock]) if ('problem' in read) return read;
    const idText = valueIn(id);
    if (idText === undefined) return { problem: 'id: is empty' };
    const image = imageOf(values.image);
    const row = {
      id: idText,
      name: valueIn(name),
      category: valueIn(category),
      price: valueIn(price),
      stock: valueIn(stock),
      image: image || undefined,
    };
    return { row, imageDropped: image === '' };
  };

  /** Undefined: the item has no image. Empty: it has one that may not be loaded. */
  function imageOf(value: unknown): string | undefined {
    if (isMissing(value)) return undefined;
    const text = typeof value === 'string' ? value.trim() : '';
    if (text.length > LONGEST.image || FORBIDDEN.test(text) || !URL.canParse(text)) return '';
    const { protocol, host, username, password, href } = new URL(text);
    const isAllowed = protocol === 'https:' && hosts.has(host) && username === '' && password === '';
    return isAllowed && href.length <= LONGEST.image ? href : '';
  }
}

function valueIn<Value>(read: Read<Value>): Value | undefined {
  return 'value' in read ? read.value : undefined;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** One line: white space of any kind becomes a space. */
function textOf(column: 'id' | 'name' | 'category' | 'price', value: unknown): Read<string> {
  if (isMissing(value)) return { value: undefined };
  const isText = typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));
  if (!isText) return wrong(column, 'must be text or a number', value);
  // JSON.parse rounds it: it would be another item.
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    return { problem: `${column}: is too large for a JSON number: write it in quotes` };
  const text = String(value).replaceAll(/\s+/g, ' ').trim().toWellFormed();
  if (text.length > LONGEST[column])
    return wrong(column, `must have at most ${LONGEST[column]} characters`, text);
  if (FORBIDDEN.test(text)) return wrong(column, 'must be UTF-8 without control characters', text);
  if (column === 'id' && INVISIBLE.test(text))
    return wrong(column, 'must be without invisible characters', text);
  return { value: text === '' ? undefined : text };
}

function priceOf(value: unknown): Read<string> {
  const read = textOf('price', value);
  const text = valueIn(read);
  if (text === undefined || PRICE.test(text)) return read;
  return wrong('price', 'must be like 19.99 or 19.99 EUR', text);
}

function stockOf(value: unknown): Read<number> {
  if (isMissing(value)) return { value: undefined };
  if (typeof value !== 'string' && typeof value !== 'number')
    return wrong('stock', 'must be a whole number', value);
  const text = String(value).trim();
  const stock = Number(text);
  if (text === '') return { value: undefined };
  if (!WHOLE.test(text) || Math.abs(stock) > MOST_STOCK)
    return wrong('stock', 'must be a whole number', value);
  return { value: stock };
}

function wrong(column: ColumnName, problem: string, value: unknown): { problem: string } {
  return { problem: `${column}: ${problem} (got ${shownOf(value)})` };
}

/** Never the text of an object: it may be nested deeper than the stack. */
function shownOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, LONGEST_SHOWN));
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return String(value);
}
