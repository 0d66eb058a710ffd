import { FIELDS, type LimitedField } from './fields.ts';
import type { Line } from './line.ts';
import { UA } from './line-fields.ts';
import { withoutAnother } from './torn-line.ts';

const BEYOND_ASCII = /[\x80-\xff]/;

/** `value`, or what of it is within the limit of its field. */
export function cutText(field: LimitedField, value: string): string {
  const end = FIELDS[field].limit;
  if (value.length <= end) return value;
  // Half of a surrogate pair is not text: Elasticsearch would reject the document.
  const splitsPair = value.codePointAt(end - 1) !== value.charCodeAt(end - 1);
  return value.slice(0, splitsPair ? end - 1 : end);
}

/** The text of bytes, given as one character each, that need not be UTF-8. */
export function toText(bytes: string): string {
  return BEYOND_ASCII.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;
}

/** The user agent of a line, not truncated. */
export function agentText({ lines, begin, end }: Line): string {
  return toText(withoutAnother(lines().toString('latin1', begin[UA], end[UA])));
}

/** As it is written between the quotes of JSON. */
export function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Bytes, given as one character each, with those percent-encoded that are not printable ASCII. */
export function percentEncoded(bytes: string): string {
  return bytes.replace(/[^\x21-\x7e]/g, (byte) => {
    const digits = byte.charCodeAt(0).toString(16).toUpperCase();
    return `%${digits.padStart(2, '0')}`;
  });
}
