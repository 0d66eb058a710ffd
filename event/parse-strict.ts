import { isIP } from 'node:net';
import { isHashedAddress } from './address-mask.ts';
import type { HotItemEvent } from './event.ts';
import { FIELD_NAMES, fieldOf, isFieldName, isLimited } from './fields.ts';
import { EventError, parse } from './parse.ts';

/** One view in 10,000 is captured, and of these one in 64 kept: the rarest sample that there can be. */
export const MOST_WEIGHT = 640_000;

/**
 * The event in a JSON text that is to be created, held to what the sidecar makes of a line, and what `privacy.ip` makes of an
 * address. Throws an `EventError` at the first field that is wrong. `parse` reads what is stored already.
 */
export function parseStrict(json: string): HotItemEvent {
  const event = parse(json);
  const { ip, weight = 1, cut = [] } = event;
  for (const name of FIELD_NAMES) {
    const { limit, longest = limit } = fieldOf(name);
    const value = event[name];
    if (longest !== undefined && typeof value === 'string' && value.length > longest)
      throw new EventError(name, `longer than ${longest}`, value);
  }
  if (!event.uri.startsWith('/')) throw new EventError('uri', 'must be a path', event.uri);
  if (ip !== undefined && !isClient(ip)) throw new EventError('ip', 'must be an address', ip);
  if (!Number.isInteger(weight) || weight > MOST_WEIGHT)
    throw new EventError('weight', `must be a whole number from 1 to ${MOST_WEIGHT}`, weight);
  const unknown = cut.find((name) => !isFieldName(name) || !isLimited(name));
  if (unknown !== undefined) throw new EventError('cut', 'must name fields that can be cut', unknown);
  return event;
}

function isClient(ip: string): boolean {
  return ip === 'unix:' || isHashedAddress(ip) || (isIP(ip) !== 0 && !ip.includes('%'));
}
