/** Why a line is not an event. `reason` is one of a closed list, usable as a metric label; `value` is truncated. */
export type BadLine = { reason: BadLineReason; field: string; value: string };
/** `nul`: NULs in a file, in the place of an unknown number of lines. */
export type BadLineReason = 'too_long' | 'nul' | 'version' | 'fields' | 'time' | 'request_id' | 'ip' | 'uri';

const LONGEST_SHOWN = 200;
/** Fields before the visitor's, which is never shown. */
const SHOWN_FIELDS = 10;
const OTHER_VERSION = /^\d{1,2}(?:\/\d{1,5}\w?)?$/;

/** A bad line, by the text of what is wrong, one character a byte. */
export function badLine(reason: BadLineReason, field: string, text: string): BadLine {
  if (reason === 'too_long') return { reason, field, value: `${text.length} bytes` };
  return { reason, field, value: shown(reason, text).slice(0, LONGEST_SHOWN) };
}

/** The part of a bad line that may be stored, which is never a visitor key. */
function shown(reason: BadLineReason, text: string): string {
  if (reason === 'fields') return text.split('\t').slice(0, SHOWN_FIELDS).join('\t');
  if (reason !== 'version') return text;
  // What begins with no version may be the rest of a torn line, with a visitor first.
  const [first = ''] = text.split('\t', 1);
  return first === text || OTHER_VERSION.test(first) ? first : `${text.length} bytes`;
}
