import { createKeeper, type Keeper } from '../protect/keeper.ts';
import { PROTECT_METRICS } from '../protect/metrics.ts';
import { createPageRequests } from '../protect/page-request.ts';
import { splitAddress } from '../service/listen-address.ts';
import { createMetrics } from '../service/metrics.ts';
import type { Core } from './core.ts';

const LONGEST_REQUEST_MS = 5_000;

/** Makes what has nginx keep pages of hot items; undefined where no host is named whose pages they are. */
export function wireKeeper({
  config,
  registry,
  warn,
  now,
}: Core): ((onChange: () => void) => Keeper) | undefined {
  const { hosts, https, refresh_ms: refreshMs, stale_seconds: staleSeconds } = config.protect;
  const { max_requests_per_second: requestsPerSecond } = config.protect;
  if (hosts.length === 0) return undefined;
  return (onChange) =>
    createKeeper({
      hosts,
      https,
      requestsPerSecond,
      requests: createPageRequests({
        address: splitAddress(config.nginx.keeper),
        https,
        headers: Object.fromEntries(config.protect.headers.map(headerOf)),
        timeoutMs: LONGEST_REQUEST_MS,
      }),
      refreshMs,
      staleMs: 1_000 * staleSeconds,
      metrics: createMetrics(registry, PROTECT_METRICS),
      warn,
      now,
      onChange,
    });
}

/** `NAME: VALUE` */
function headerOf(text: string): [string, string] {
  const at = text.indexOf(':');
  return [text.slice(0, at), text.slice(at + 2)];
}
