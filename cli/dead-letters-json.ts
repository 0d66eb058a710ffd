import { isUtf8 } from 'node:buffer';
import type { KeptLetter } from '../store/dead-letters/box.ts';

/** A letter as printed in JSON; a value that is not text is in base64. */
export function toJson({ id, time, recorded, reason, origin, replayed, value }: KeptLetter): object {
  const text = isUtf8(value) ? { value: value.toString('utf8') } : { value_base64: value.toString('base64') };
  const times = {
    time: new Date(time).toISOString(),
    ...(recorded !== undefined && { recorded: new Date(recorded).toISOString() }),
  };
  return { id, ...times, reason, origin, replayed, ...text };
}
