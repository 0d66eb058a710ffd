import { isIP } from 'node:net';
import { isHashedAddress } from './address-mask.ts';
import type { HotItemEvent } from './event.ts';
import { LIMITS, type LimitedField } from './field-text.ts';
import { EventError, parse } from './parse.ts';

/** One view in 10,000 is captured, and of these one in 64 kept: the rarest sample that there can be. */
export const MOST_WEIGHT = 640_000;
const LIMITED = Object.keys(LIMITS) as LimitedField[];
const LONGEST_NAME = 255;

/**
 * The event in a JSON text that is to be created, held to what the sidecar makes of a line, and what `privacy.ip` makes of an
 * address. Throws an `EventError` at the first field that is wrong. `parse` reads what is stored already.
 */
export function parseStrict(json: string): HotItemEvent {
  const event = parse(json);
  const { ip, weight = 1, cut = [] } = event;
  for (const field of LIMITED) {
    if ((event[field]?.length ?? 0) > LIMITS[field])
      throw new EventError(field, `longer than ${LIMITS[field]}`, event[field]);
  }
  for (const field of ['node', 'visitor'] as const) {
    if ((event[field]?.length ?? 0) > LONGEST_NAME)
      throw new EventError(field, `longer than ${LONGEST_NAME}`, event[field]);
  }
  if (!event.uri.startsWith('/')) throw new EventError('uri', 'must be a path', event.uri);
  if (ip !== undefined && !isClient(ip)) throw new EventError('ip', 'must be an address', ip);
  if (!Number.isInteger(weight) || weight > MOST_WEIGHT)
    throw new EventError('weight', `must be a whole number from 1 to ${MOST_WEIGHT}`, weight);
  const unknown = cut.find((field) => !LIMITED.some((known) => known === field));
  if (unknown !== undefined) throw new EventError('cut', 'must name fields that can be cut', unknown);
  return event;
}

function isClient(ip: string): boolean {
  return ip === 'unix:' || isHashedAddress(ip) || (isIP(ip) !== 0 && !ip.includes('%'));
}
