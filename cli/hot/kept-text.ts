import type { NginxNow } from '../../heat/nginx-now.ts';
import { deadEndsText, limitText } from '../../page/requests-text.ts';
import type { KeptState } from '../../protect/entry.ts';
import type { SeenShoppers } from '../../protect/shoppers.ts';
import { plainText } from '../../service/plain-text.ts';
import { isoTime } from '../../status/iso-time.ts';

const LONGEST_REASON = 200;

/** What nginx does with the page of a hot item: a reason may be words of the application. */
export function keptText(page: KeptState, now: number): string {
  const reason = page.reason === undefined ? '' : plainText(page.reason, LONGEST_REASON);
  if (page.state === 'waiting') return `not cached: ${reason}`;
  if (page.state === 'refused') {
    const seconds = Math.max(0, Math.ceil((page.retryAt - now) / 1_000));
    return `not cached: ${reason} (asked for again in ${seconds} s)`;
  }
  return refreshedText(now - page.refreshedAt, reason);
}

/** `ageMs`: of the page that nginx shows. */
export function refreshedText(ageMs: number, reason = ''): string {
  const age = (Math.max(0, ageMs) / 1_000).toFixed(1);
  return `cached, refreshed ${age} s ago${reason === '' ? '' : ` (${reason})`}`;
}

/** What nginx does about a hot item, and why not more. */
export function nginxText({ actions, page, shoppers, limit, ends, why }: NginxNow, now: number): string[] {
  return [
    actions.length === 0
      ? 'nginx does nothing about it'
      : `nginx, where it is included: ${actions.join(', ')}`,
    ...(page === undefined ? [] : [keptText(page, now)]),
    ...(page !== undefined && 'address' in page ? [`the page at ${plainText(page.address, 300)}`] : []),
    ...(shoppers === undefined ? [] : shoppersText(shoppers)),
    ...(limit === undefined
      ? []
      : [`limit.conf, since ${isoTime(limit.since).slice(11)}: ${limitText(limit, String)}`]),
    ...(ends === undefined ? [] : [`since ${isoTime(ends.since).slice(11)}, ${deadEndsText(ends, String)}`]),
    ...why.map((sentence) => plainText(sentence, LONGEST_REASON)),
  ];
}

function shoppersText({ shared, stale, own, missing, unkept, since }: SeenShoppers): string[] {
  const cached = `${shared + stale} from the cache${stale === 0 ? '' : ` (${stale} late)`}`;
  const why = [
    ...(own === 0 ? [] : [`${own} must not share`]),
    ...(missing === 0 ? [] : [`${missing} found no page`]),
    ...(unkept === 0 ? [] : [`${unkept} while it was not cached`]),
  ];
  const origin = `${own + missing + unkept} to the origin${why.length === 0 ? '' : ` (${why.join(', ')})`}`;
  return [`requests of shoppers, counted since ${isoTime(since).slice(11)}: ${cached}, ${origin}`];
}
