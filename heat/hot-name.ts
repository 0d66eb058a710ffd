/** Bytes of an item's name that may be a file: as many as the pattern in nginx/http-hot.conf takes. */
const MOST_BYTES = 200;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const CONTROL = /[\x00-\x1f\x7f]/;
const NO_ITEM = '-';
const NOT_UTF8 = '\ufffd';

/**
 * The name of an item's file in the hot list. Begins with `i.`, so that no item is `..`, or what nginx looks for where there is none.
 */
export function hotFileName(item: string): string {
  return `i.${item}`;
}

/** Why nginx could not find an item in the hot list: its name cannot be a file's. Undefined where it can. */
export function whyNotActedOn(item: string): string | undefined {
  const what = problemOf(item);
  return what === undefined ? undefined : `cannot be acted on: ${what}`;
}

function problemOf(item: string): string | undefined {
  if (item === '') return 'it has no name';
  if (item === NO_ITEM) return 'it stands for the pages without an item';
  if (item.includes('/')) return 'its name holds a slash';
  if (CONTROL.test(item)) return 'its name holds a control character';
  // What nginx saw is not known any more: each byte that is not UTF-8 became this.
  if (item.includes(NOT_UTF8) || !item.isWellFormed()) return 'its name is not UTF-8';
  const bytes = Buffer.byteLength(item);
  return bytes > MOST_BYTES ? `its name has ${bytes} bytes, more than ${MOST_BYTES}` : undefined;
}
