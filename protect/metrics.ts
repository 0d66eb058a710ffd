import type { MetricList } from '../service/metrics.ts';

/** What a sidecar exports of the pages that it has nginx keep. */
export const PROTECT_METRICS = {
  protect_items: {
    kind: 'gauge',
    help: 'Hot items with the action cache, by state: waiting (its URL is not known yet, or other pages come first), kept (its page is cached), refused (its page differs between visitors, or must not be shared)',
    labels: ['state'],
  },
  protect_requests_total: {
    kind: 'counter',
    help: 'Requests to nginx for pages of hot items, by kind: probe and fill reach the origin; look reaches it only if the page is not cached',
    labels: ['kind'],
  },
  protect_failures_total: {
    kind: 'counter',
    help: 'Requests for pages of hot items without a response, or with an error of the origin',
  },
  protect_refused_total: {
    kind: 'counter',
    help: 'Times that a page could not be shared, by reason: status (not 200), cookie (sets a cookie), forbidden (Cache-Control, Expires or X-Accel-Expires), vary, compressed, too_large, incomplete, differs (from visitor to visitor), not_stored (nginx did not cache it)',
    labels: ['reason'],
  },
  protect_dropped_total: {
    kind: 'counter',
    help: 'Cached pages that were dropped, because they may no longer be shared or could not be refreshed',
  },
  protect_received_bytes_total: { kind: 'counter', help: 'Bytes of pages that were read, uncompressed' },
  protect_origin_seconds_total: {
    kind: 'counter',
    help: "Time that the origin spent on the keeper's requests",
  },
  protect_slow_origin: {
    kind: 'gauge',
    help: '1 while the origin is twice as slow as usual: pages are then refreshed once per half of protect.stale_seconds',
  },
  protect_stale_seconds_total: {
    kind: 'counter',
    help: 'Seconds, summed over all pages, for which a cached page was older than twice protect.refresh_ms',
  },
  protect_oldest_seconds: { kind: 'gauge', help: 'Age of the oldest cached page' },
  protect_refresh_seconds: { kind: 'gauge', help: 'How long the last refresh of a page took' },
  protect_reachable: {
    kind: 'gauge',
    help: "1 while nginx answers on its listener for the sidecar's requests; NaN while no item is hot, because the sidecar does not check then",
  },
} as const satisfies MetricList;

/** What nginx did with requests for hot items, as it logs them (log-shared.conf). */
export const SHOPPER_METRICS = {
  protect_shoppers_total: {
    kind: 'counter',
    help: "Requests of shoppers for hot items that the cache or the origin answered, by page: shared (from the cache), stale (from the cache, older than twice protect.refresh_ms), own (from the origin, because the request must not get a shared page), missing (from the origin, because the page was not in the cache), unkept (from the origin, because the item's page is not cached)",
    labels: ['page'],
  },
  protect_limit_total: {
    kind: 'counter',
    help: 'Requests of shoppers for hot items that limit.conf checked, by result: passed, limited (rejected), would_limit (passed, because it is a dry run)',
    labels: ['result'],
  },
  protect_ends_total: {
    kind: 'counter',
    help: 'All requests of shoppers for hot items, by how they ended: not_found (404 or 410), rejected (429), error (5xx, or an error of the origin behind a page with another status), left (the client closed before the end of the response), ok (all others)',
    labels: ['end'],
  },
} as const satisfies MetricList;
