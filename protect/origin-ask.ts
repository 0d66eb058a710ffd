import type { Metrics } from '../service/metrics.ts';
import type { Brake, Usual } from './brake.ts';
import type { Budget } from './budget.ts';
import type { Ask } from './examine.ts';
import type { PROTECT_METRICS } from './metrics.ts';
import type { PageRequests } from './page-request.ts';

export type OriginAskOptions = {
  requests: PageRequests;
  budget: Budget;
  brake: Brake;
  /** By which nginx knows the keeper now. */
  word: () => string;
  metrics: Metrics<typeof PROTECT_METRICS>;
  now: () => number;
};

/**
 * Asks for pages within the budget, counts what that takes, and shows the brake how long the origin took for a page that usually takes `usual`.
 * Rejects when the turn of a request comes and `isWanted` is not true any more: nginx would take it for a shopper's, and capture it.
 */
export function createOriginAsk(options: OriginAskOptions): (usual: Usual, isWanted: () => boolean) => Ask {
  const { requests, budget, brake, word, metrics, now } = options;
  return (usual, isWanted) => (asked) =>
    budget.spend(async () => {
      if (!isWanted()) throw new Error('the item has cooled');
      metrics.of('protect_requests_total', { kind: asked.mode }).add();
      const began = now();
      let waitedMs: number | undefined;
      try {
        const page = await requests.ask({ ...asked, word: word() });
        metrics.of('protect_received_bytes_total').add(page.bytes);
        if (page.status === 200) waitedMs = page.waitedMs;
        return page;
      } finally {
        const tookMs = Math.max(0, now() - began);
        if (asked.mode !== 'look') {
          metrics.of('protect_origin_seconds_total').add(tookMs / 1_000);
          measure(usual, waitedMs ?? tookMs, waitedMs !== undefined);
        }
      }
    });

  /** An error that comes at once says nothing about how slow the origin is. */
  function measure(usual: Usual, ms: number, isPage: boolean): void {
    const usualMs = usual.ms();
    if (!isPage && ms < (usualMs ?? Number.POSITIVE_INFINITY)) return;
    if (usualMs !== undefined) brake.saw(ms, usualMs);
    usual.add(ms);
  }
}
