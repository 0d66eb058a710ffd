import type { CatalogueItem } from '../event/catalogue-item.ts';
import { createSpanHash } from '../event/span-hash.ts';

/*
 * A catalogue in memory: a million items in about 100 MB. Each item is a record of bytes: a head of 14 bytes, then id, name, price and
 * image in UTF-8. Records are in chunks of 1 MiB, so that growing copies nothing. They are found through hash tables of their places
 * (open addressing), of which there are 256, so that none takes long to grow. The hash has a key of its own in each process: anybody can
 * choose the name of an item that is looked up.
 *
 * Nothing is ever changed or removed: another file is another catalogue.
 */

/** The items of a catalogue. Lookups take bytes of a text only, and make an object for `get`. */
export type CatalogueItems = {
  readonly rows: number;
  /** Memory that they take. */
  readonly bytes: number;
  get(item: string): CatalogueItem | undefined;
  has(item: string): boolean;
  categoryOf(item: string): string | undefined;
  /** The first `most`, in the order of the file. */
  categories(most?: number): string[];
};

export type CatalogueRow = { id: string } & {
  [Column in keyof CatalogueItem]?: CatalogueItem[Column] | undefined;
};

export type ItemsBuilder = {
  /** `full`: it needs more than `mostBytes`; `categories`: more categories than can be numbered. */
  add(row: CatalogueRow): 'added' | 'duplicate' | 'full' | 'categories';
  /** The same object for each call; it sees what is added later. */
  items: CatalogueItems;
};

const CHUNK = 1024 * 1024;
const SHARDS = 256;
const FIRST_SLOTS = 16;
/** Longest id in bytes, and with it what is looked up: an event has 256 characters of an item at most. */
const MOST_ID_BYTES = 768;
export const MOST_CATEGORIES = 0xffff;

/* The head of a record. */
const ID_BYTES = 0;
const NAME_BYTES = 2;
const IMAGE_BYTES = 4;
const CATEGORY = 6;
const PRICE_BYTES = 8;
const HAS_STOCK = 9;
const STOCK = 10;
const HEAD = 14;

export function createItems(mostBytes: number): ItemsBuilder {
  const hash = createSpanHash();
  const chunks: Buffer[] = [];
  let used = CHUNK;
  const shards = Array.from({ length: SHARDS }, () => ({ slots: new Uint32Array(FIRST_SLOTS), size: 0 }));
  let slotBytes = SHARDS * FIRST_SLOTS * 4;
  /** The number of a category is its place here; 0 is none. */
  const categories: (string | undefined)[] = [undefined];
  const numbers = new Map<string, number>();
  let categoryBytes = 0;
  let rows = 0;
  const looked = Buffer.alloc(MOST_ID_BYTES);
  const items: CatalogueItems = {
    get rows() {
      return rows;
    },
    get bytes() {
      return bytes();
    },
    get,
    has: (item) => find(item) !== undefined,
    categories: (most = MOST_CATEGORIES) => categories.slice(1, 1 + most).filter((one) => one !== undefined),
    categoryOf(item) {
      const place = find(item);
      return place === undefined ? undefined : categoryAt(place);
    },
  };
  return { add, items };

  function bytes(): number {
    return chunks.length * CHUNK + slotBytes + categoryBytes;
  }

  function add(row: CatalogueRow): ReturnType<ItemsBuilder['add']> {
    const length = lookFor(row.id);
    const shard = shards[hash.bits(0) & (SHARDS - 1)];
    if (shard === undefined || length === undefined) return 'duplicate';
    const slot = slotOf(shard.slots, length);
    if ((shard.slots[slot] ?? 0) !== 0) return 'duplicate';
    const category = row.category === undefined ? 0 : numberOf(row.category);
    if (category === undefined) return 'categories';
    const place = write(row, category);
    if (place === undefined) return 'full';
    shard.slots[slot] = place + 1;
    shard.size++;
    rows++;
    if (shard.size * 4 > shard.slots.length * 3) grow(shard);
    return 'added';
  }

  /** Undefined where it has no room. */
  function write({ id, name = '', price = '', image = '', stock }: CatalogueRow, category: number) {
    const most = HEAD + 3 * (id.length + name.length + price.length + image.length);
    let chunk = chunks.at(-1);
    if (chunk === undefined || used + most > CHUNK) {
      if (bytes() + CHUNK > mostBytes) return undefined;
      chunk = Buffer.allocUnsafeSlow(CHUNK);
      chunks.push(chunk);
      used = 0;
    }
    const at = used;
    let end = at + HEAD;
    chunk.writeUInt16LE(put(chunk, id), at + ID_BYTES);
    chunk.writeUInt16LE(put(chunk, name), at + NAME_BYTES);
    chunk.writeUInt8(put(chunk, price), at + PRICE_BYTES);
    chunk.writeUInt16LE(put(chunk, image), at + IMAGE_BYTES);
    chunk.writeUInt16LE(category, at + CATEGORY);
    chunk.writeUInt8(stock === undefined ? 0 : 1, at + HAS_STOCK);
    chunk.writeInt32LE(stock ?? 0, at + STOCK);
    used = end;
    return (chunks.length - 1) * CHUNK + at;

    function put(into: Buffer, text: string): number {
      const length = into.write(text, end);
      end += length;
      return length;
    }
  }

  function numberOf(category: string): number | undefined {
    const known = numbers.get(category);
    if (known !== undefined) return known;
    if (categories.length > MOST_CATEGORIES) return undefined;
    numbers.set(category, categories.length);
    categoryBytes += 100 + 2 * category.length;
    return categories.push(category) - 1;
  }

  function get(item: string): CatalogueItem | undefined {
    const place = find(item);
    if (place === undefined) return undefined;
    const { chunk, at } = recordAt(place);
    let end = at + HEAD + chunk.readUInt16LE(at + ID_BYTES);
    const name = take(chunk.readUInt16LE(at + NAME_BYTES));
    const price = take(chunk.readUInt8(at + PRICE_BYTES));
    const image = take(chunk.readUInt16LE(at + IMAGE_BYTES));
    const category = categoryAt(place);
    return {
      ...(name !== '' && { name }),
      ...(category !== undefined && { category }),
      ...(price !== '' && { price }),
      ...(chunk.readUInt8(at + HAS_STOCK) === 1 && { stock: chunk.readInt32LE(at + STOCK) }),
      ...(image !== '' && { image }),
    };

    function take(length: number): string {
      const begin = end;
      end += length;
      return chunk.toString('utf8', begin, end);
    }
  }

  function categoryAt(place: number): string | undefined {
    const { chunk, at } = recordAt(place);
    return categories[chunk.readUInt16LE(at + CATEGORY)];
  }

  function recordAt(place: number): { chunk: Buffer; at: number } {
    return { chunk: chunks[Math.floor(place / CHUNK)] ?? looked, at: place % CHUNK };
  }

  /** The place of the record of an item. */
  function find(item: string): number | undefined {
    const length = lookFor(item);
    const shard = shards[hash.bits(0) & (SHARDS - 1)];
    if (length === undefined || shard === undefined) return undefined;
    const found = shard.slots[slotOf(shard.slots, length)] ?? 0;
    return found === 0 ? undefined : found - 1;
  }

  /** Writes an id to `looked` and hashes it. Returns its length in bytes; undefined for one that is too long for an item. */
  function lookFor(id: string): number | undefined {
    if (id.length > MOST_ID_BYTES / 3) return undefined;
    const length = looked.write(id);
    hash.hash(looked, 0, length);
    return length;
  }

  /** The slot of the id in `looked`, hashed last, or the free one where it would be. */
  function slotOf(slots: Uint32Array, length: number): number {
    const mask = slots.length - 1;
    let slot = (hash.bits(0) >>> 8) & mask;
    for (;;) {
      const found = slots[slot] ?? 0;
      if (found === 0 || isLooked(found - 1, length)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  function isLooked(place: number, length: number): boolean {
    const { chunk, at } = recordAt(place);
    const begin = at + HEAD;
    return (
      chunk.readUInt16LE(at + ID_BYTES) === length &&
      chunk.compare(looked, 0, length, begin, begin + length) === 0
    );
  }

  function grow(shard: { slots: Uint32Array }): void {
    const slots = new Uint32Array(shard.slots.length * 2);
    const mask = slots.length - 1;
    for (const found of shard.slots) {
      if (found === 0) continue;
      const { chunk, at } = recordAt(found - 1);
      hash.hash(chunk, at + HEAD, at + HEAD + chunk.readUInt16LE(at + ID_BYTES));
      let slot = (hash.bits(0) >>> 8) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = found;
    }
    slotBytes += slots.length * 4 - shard.slots.length * 4;
    shard.slots = slots;
  }
}
