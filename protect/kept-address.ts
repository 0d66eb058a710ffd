import { Unavailable } from './examine.ts';
import { type Refusal, refusal } from './judge.ts';
import type { Page } from './page.ts';
import type { Place } from './targets.ts';

/*
 * Where the keeper asks for a page: at the address of shoppers, with the part of the query that names the item (tracking.conf) and without the
 * rest. With the rest, the page that all get would be made from what one shopper added, and his query would be sent from this host. Only nginx
 * knows that part, so it is asked; no origin is.
 */

/** The location of server-protect.conf that answers the keeper. */
export const KEEPER_LOCATION = '/_hotitem/keeper';

/** Returns why a page must not be asked for at `seen`, or where it is. `look` asks nginx at that host. Rejects with `Unavailable`. */
export async function keptAddress(
  seen: Place,
  look: (host: string, target: string) => Promise<Page>,
): Promise<Place | Refusal> {
  const at = seen.target.indexOf('?');
  if (at < 0) return seen;
  const page = await look(seen.host, KEEPER_LOCATION + seen.target.slice(at));
  if (page.status >= 500) throw new Unavailable(`nginx answers ${page.status}`);
  const query = page.status === 200 ? queryIn(page.body.toString('latin1')) : '';
  if (query === undefined)
    return refusal('not_stored', 'nginx has includes of an earlier version: run hotitem nginx install');
  if (!query.startsWith('?')) return refusal('not_stored', 'its query may change the page (tracking.conf)');
  return { ...seen, target: seen.target.slice(0, at) + (query === '?' ? '' : query) };
}

/** The second line; undefined if there is none. */
function queryIn(body: string): string | undefined {
  const [, query, ...rest] = body.split('\n');
  return rest.length === 0 ? undefined : query;
}
