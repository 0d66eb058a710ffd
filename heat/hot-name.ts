/** Longest name of a file, in bytes: the limit in the pattern in nginx/http-hot.conf. */
const MOST_BYTES = 200;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
const CONTROL = /[\x00-\x1f\x7f]/;
const NO_ITEM = '-';
const NOT_UTF8 = '\ufffd';

/**
 * File name of an item in the hot list. The prefix `i.` ensures that no item is `..`, or the name that nginx checks when there is no item.
 */
export function hotFileName(item: string): string {
  return `i.${item}`;
}

/** Why nginx cannot find an item in the hot list: its name cannot be a file name. Undefined if it can. */
export function whyNotActedOn(item: string): string | undefined {
  const what = problemOf(item);
  return what === undefined ? undefined : `cannot be acted on: ${what}`;
}

function problemOf(item: string): string | undefined {
  if (item === '') return 'it has no name';
  if (item === NO_ITEM) return 'it stands for the pages without an item';
  if (item.includes('/')) return 'its name holds a slash';
  if (CONTROL.test(item)) return 'its name holds a control character';
  // The bytes that nginx saw are lost: each byte that is not UTF-8 was replaced by this.
  if (item.includes(NOT_UTF8) || !item.isWellFormed()) return 'its name is not UTF-8';
  const bytes = Buffer.byteLength(item);
  return bytes > MOST_BYTES ? `its name has ${bytes} bytes, more than ${MOST_BYTES}` : undefined;
}
