import { type Line, UA } from './line.ts';
import { withoutAnother } from './torn-line.ts';

/** Longest value of a field, in characters. A longer one is cut, and its name put into `cut`. */
export const LIMITS = {
  uri: 2048,
  raw: 4096,
  args: 4096,
  item: 256,
  host: 255,
  method: 32,
  ua: 1024,
  ref: 2048,
} as const;

export type LimitedField = keyof typeof LIMITS;

const BEYOND_ASCII = /[\x80-\xff]/;

/** `value`, or what of it is within the limit of its field. */
export function cutText(field: LimitedField, value: string): string {
  if (value.length <= LIMITS[field]) return value;
  const end = LIMITS[field];
  // Half of a surrogate pair is no text: Elasticsearch would refuse the document.
  const splitsPair = value.codePointAt(end - 1) !== value.charCodeAt(end - 1);
  return value.slice(0, splitsPair ? end - 1 : end);
}

/** The text of bytes, given as one character each, that need not be UTF-8. */
export function toText(bytes: string): string {
  return BEYOND_ASCII.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;
}

/** The user agent of a line, not cut. */
export function agentText({ lines, begin, end }: Line): string {
  return toText(withoutAnother(lines().toString('latin1', begin[UA], end[UA])));
}
