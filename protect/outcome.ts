import type { Metrics } from '../service/metrics.ts';
import { type Entry, isKept } from './entry.ts';
import type { Refusal } from './judge.ts';
import type { PROTECT_METRICS } from './metrics.ts';
import type { Place, Targets } from './targets.ts';

/*
 * What becomes of a page after it was asked for: it is kept, or is given up and tried again later. Each function returns whether nginx has to
 * be told, because it may now show the page, or must not any more.
 */

export type Outcomes = {
  /** nginx has the page of this address, for which the origin was asked at `began`, ms since 1970. */
  kept(entry: Entry, place: Place, how: { began: number; isFirst: boolean; compares: boolean }): boolean;
  /** The page must not be shared. `seen`: the address of shoppers by which it was found. */
  refused(entry: Entry, seen: Place, refusal: Refusal): boolean;
  /** There was no answer. Shoppers see the page as long as nginx has it. */
  unavailable(entry: Entry, reason: string): boolean;
  /** nginx has no page any more: it is too old. */
  expired(entry: Entry, wasSuspended: boolean): boolean;
  /** Its page is not to be shown, and is tried again as soon as that is possible. */
  dropped(entry: Entry, reason: string): boolean;
};

export type OutcomesOptions = {
  https: boolean;
  /** How long nginx shows a page that is not refreshed. */
  staleMs: number;
  /** Between two refreshes, as it is now. */
  intervalMs: () => number;
  targets: Pick<Targets, 'lookAgain' | 'refuse'>;
  metrics: Metrics<typeof PROTECT_METRICS>;
  now: () => number;
};

/** What was refused, or could not be had, is tried again after so long, and after twice as long each time. */
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 600_000;
const FIRST_RETRY_MS = 250;

export function createOutcomes(options: OutcomesOptions): Outcomes {
  const { https, staleMs, intervalMs, targets, metrics, now } = options;
  return {
    kept(entry, place, { began, isFirst, compares }) {
      const time = now();
      if (compares) {
        entry.comparedAt = time;
        targets.lookAgain(entry.item);
      }
      entry.place = place;
      entry.failures = 0;
      entry.dueAt = began + intervalMs();
      const since = entry.state.state === 'kept' ? entry.state.since : time;
      entry.state = { state: 'kept', since, refreshedAt: time, address: addressOf(place) };
      metrics.of('protect_refresh_seconds').set((time - began) / 1_000);
      return isFirst;
    },
    refused(entry, seen, { kind, reason }) {
      metrics.of('protect_refused_total', { reason: kind }).add();
      targets.refuse(entry.item, seen);
      return giveUp(entry, reason);
    },
    unavailable(entry, reason) {
      metrics.of('protect_failures_total').add();
      const { state } = entry;
      if (state.state !== 'kept') return giveUp(entry, reason);
      if (now() - state.refreshedAt >= staleMs) return giveUp(entry, `cannot be refreshed: ${reason}`);
      entry.state = { ...state, reason };
      entry.dueAt = now() + Math.min(intervalMs(), FIRST_RETRY_MS * 2 ** entry.failures++);
      return false;
    },
    expired(entry, wasSuspended) {
      const { reason } = entry.state;
      if (wasSuspended) return fall(entry, 'was not refreshed while the sidecar was suspended', 0);
      return giveUp(
        entry,
        reason === undefined ? 'was not refreshed in time' : `cannot be refreshed: ${reason}`,
      );
    },
    dropped: (entry, reason) => fall(entry, reason, 0),
  };

  /** Gives the page up until it is tried again. */
  function giveUp(entry: Entry, reason: string): boolean {
    // Failures to refresh it do not count for how long it waits now.
    if (isKept(entry)) entry.failures = 0;
    targets.lookAgain(entry.item);
    return fall(
      entry,
      reason,
      Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(10, entry.failures++)),
    );
  }

  /** It is tried again after `waitMs`. */
  function fall(entry: Entry, reason: string, waitMs: number): boolean {
    const wasKept = isKept(entry);
    const { asked } = entry;
    const time = now();
    entry.dueAt = time + waitMs;
    entry.state = {
      state: 'refused',
      reason,
      since: time,
      retryAt: entry.dueAt,
      ...(asked && { address: addressOf(asked) }),
    };
    if (wasKept) metrics.of('protect_dropped_total').add();
    return wasKept;
  }

  function addressOf({ host, target }: Place): string {
    return `${https ? 'https' : 'http'}://${host}${target}`;
  }
}
