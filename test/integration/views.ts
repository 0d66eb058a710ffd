import { FULL } from '../parts/full.ts';

/** A view that a test asks for, and what its event must say. */
export type ExpectedView = {
  /** What goes into the request line, one character a byte. */
  path: string;
  uri: string;
  args: string;
  item: string;
};

/** Of all views of the shop. */
export const TOTAL = FULL ? 5_000 : 1_000;
const ITEMS = 300;
/** Each odd path twice. */
const ODD_EVERY = TOTAL / 50;

/** Unusual paths below /web/item/, with the uri that nginx works with and the item that its map finds. */
const ODD: [asked: string, uri: string, item?: string][] = [
  ['/web/item/a%20b.html', '/web/item/a b.html'],
  ['/web/item/a%2Fb', '/web/item/a/b'],
  ['/web/item/a%3Fb', '/web/item/a?b'],
  ['/web/item/a%25b', '/web/item/a%b'],
  ['/web/item/a%253Fb', '/web/item/a%3Fb'],
  ['/web/item/caf%C3%A9.html', '/web/item/café.html'],
  ['/web/item/caf\xc3\xa9.html', '/web/item/café.html'],
  ['/web/item/%FF', '/web/item/\uFFFD'],
  ['/web/item/\xff\xfe', '/web/item/\uFFFD\uFFFD'],
  ['/web//item///7.html', '/web/item/7.html', '7'],
  ['/web/item/./8.html', '/web/item/8.html', '8'],
  ['/web/item/x/../9.html', '/web/item/9.html', '9'],
  ['/web/item/%2e%2e/item/10.html', '/web/item/10.html', '10'],
  ['/web/item/web/11.html', '/web/item/web/11.html'],
  ['/web/item/%0A', '/web/item/\n'],
  ['/web/item/a%09b', '/web/item/a\tb'],
  ['/web/item/%22quoted%22', '/web/item/"quoted"'],
  ['/web/item/back%5Cslash', '/web/item/back\\slash'],
  ['/web/item/semi;colon=1', '/web/item/semi;colon=1'],
  ['/web/item/%3Cscript%3E', '/web/item/<script>'],
  ['/web/item/%F0%9F%98%80', '/web/item/😀'],
  ['/web/item/', '/web/item/'],
  ['/web/item/...', '/web/item/...', '...'],
  ['/web/item/12', '/web/item/12', '12'],
  ["/web/item/it's", "/web/item/it's"],
];

/** `TOTAL` views of 300 items, 50 of them odd; each has a query of its own, by which its event is known. */
export function expectedViews(): ExpectedView[] {
  return Array.from({ length: TOTAL }, (_, i) => {
    const args = `v=${i}`;
    if (i % ODD_EVERY !== 0) return plain((i % ITEMS) + 1, args);
    const [asked, uri, item = uri] = ODD[(i / ODD_EVERY) % ODD.length] ?? ['', ''];
    return { path: `${asked}?${args}`, uri, args, item };
  });
}

/** The view of an item with a query. */
export function plain(item: number, args: string): ExpectedView {
  return { path: `/web/item/${item}.html?${args}`, uri: `/web/item/${item}.html`, args, item: String(item) };
}
