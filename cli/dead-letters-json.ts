import { isUtf8 } from 'node:buffer';
import type { KeptLetter } from '../store/dead-letter-box.ts';

/** A letter as one line of JSON; a value that is no text in base64. */
export function toJson({ id, time, reason, origin, replayed, value }: KeptLetter): string {
  const text = isUtf8(value) ? { value: value.toString('utf8') } : { value_base64: value.toString('base64') };
  return JSON.stringify({ id, time: new Date(time).toISOString(), reason, origin, replayed, ...text });
}
