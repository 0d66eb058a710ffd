import { difference, type Refusal, refusal, whyNotShared } from './judge.ts';
import type { Page } from './page.ts';
import type { Asked } from './page-request.ts';
import type { Place } from './targets.ts';
import { ENGLISH_DESKTOP, ENGLISH_PHONE, GERMAN_DESKTOP, type Visitor } from './visitors.ts';

export type Ask = (asked: Omit<Asked, 'word'>) => Promise<Page>;

/** The origin, or nginx, does not answer as it should: nothing is known of the page. */
export class Unavailable extends Error {
  override name = 'Unavailable';
}

/** What nginx did with a request of the keeper; see docs/decisions/0018. */
const TOLD = 'x-hotitem-keeper';

/**
 * Requests a page as several visitors. Returns why it must not be shared, undefined if nothing was found. With `first` (the page is not
 * shared yet), one visitor asks twice, to find what the pages differ by. Rejects with `Unavailable`.
 */
export async function examine(
  place: Place,
  ask: Ask,
  now: number,
  first: boolean,
): Promise<Refusal | undefined> {
  const phone = await probe(ENGLISH_PHONE);
  const forbidden = whyNotShared(phone, now);
  if (forbidden !== undefined) return forbidden;
  const desktop = await probe(GERMAN_DESKTOP);
  const refused = whyNotShared(desktop, now);
  if (refused !== undefined) return refused;
  const differs = difference(phone, desktop, 'from visitor to visitor');
  if (!first) return differs;
  const again = await probe(ENGLISH_PHONE);
  const each = whyNotShared(again, now) ?? difference(phone, again, 'from one request to the next');
  if (each !== undefined || differs === undefined) return each;
  const other = await probe(ENGLISH_DESKTOP);
  return (
    difference(phone, other, 'between phone and desktop') ??
    difference(desktop, other, 'by language') ??
    differs
  );

  async function probe({ headers }: Visitor): Promise<Page> {
    return available(await ask({ mode: 'probe', ...place, headers }));
  }
}

/**
 * Has nginx store the page again. Returns why it must not be shared, or that nginx does not keep it: without its includes, it takes the keeper
 * for a shopper. Rejects with `Unavailable`.
 */
export async function fill(place: Place, ask: Ask, now: number): Promise<Refusal | undefined> {
  const page = available(await ask({ mode: 'fill', ...place, headers: { ...PLAIN } }));
  const told = toldBy(page);
  const refused = whyNotShared(page, now);
  return refused ?? (told?.startsWith('fill ') ? undefined : refusal('not_stored', whyNotStored(told)));
}

/** Returns why nginx does not show the page that was stored, undefined where it does. */
export async function lookWhetherKept(place: Place, ask: Ask): Promise<Refusal | undefined> {
  const page = available(await ask({ mode: 'look', ...place, headers: { ...PLAIN } }));
  const told = toldBy(page);
  if (told === 'look HIT') return undefined;
  return refusal('not_stored', whyNotStored(told));
}

/** What nginx did: the mode, and the status of its cache, which is missing where the cache is off. */
function toldBy({ headers }: Page): string | undefined {
  return headers.get(TOLD)?.[0]?.trim();
}

function whyNotStored(told: string | undefined): string {
  if (told === undefined) return 'nginx does not say what it did: hotitem check --nginx tells why';
  if (told === 'look' || told === 'fill')
    return 'its location does not include cache.conf, or $hotitem_personal is not empty for the sidecar';
  return `nginx does not keep it (${told})`;
}

const { 'Accept-Language': _, ...PLAIN } = ENGLISH_DESKTOP.headers;

const LIMITED =
  'nginx limits the sidecar as a shopper (limit_req, limit_conn): hotitem check --nginx tells how to exempt it';

/** An error that may be over soon says nothing about the page. */
function available(page: Page): Page {
  if (toldBy(page)?.endsWith(' REJECTED')) throw new Unavailable(LIMITED);
  if (page.status >= 500 || page.status === 429) throw new Unavailable(`the origin answers ${page.status}`);
  return page;
}
