import type { Metrics } from '../service/metrics.ts';
import type { SIDECAR_METRICS } from './metrics.ts';

/** The sidecar's books since it started. They balance when `unaccounted` is 0. */
export type SidecarAccounts = {
  /** Lines that nginx handed over or spilled, of which… */
  received: number;
  /** …these became an event in the spool, */
  accepted: number;
  /** these had come before, */
  duplicate: number;
  /** and these are no event. */
  bad: number;
  /** Events in the spool when the sidecar started, not delivered then. */
  waitingAtStart: number;
  /** Events in the spool now. */
  waiting: number;
  /** Events that the next part (Kafka, or the index) acknowledged. */
  delivered: number;
  /** waitingAtStart + accepted − waiting − delivered */
  unaccounted: number;
};

export type AccountingOptions = {
  metrics: Metrics<typeof SIDECAR_METRICS>;
  waiting: () => number;
  delivered: () => number;
};

/** Call it before the first event comes. What it returns reads the books, all figures at one moment. */
export function createAccounting({ metrics, waiting, delivered }: AccountingOptions): () => SidecarAccounts {
  const waitingAtStart = waiting();
  return () => {
    const accepted = sum('intake_accepted_total');
    const books = { waitingAtStart, waiting: waiting(), delivered: delivered() };
    return {
      received: sum('intake_lines_total'),
      accepted,
      duplicate: sum('intake_duplicates_total'),
      bad: sum('intake_lines_total') - accepted - sum('intake_duplicates_total'),
      ...books,
      unaccounted: waitingAtStart + accepted - books.waiting - books.delivered,
    };
  };

  function sum(name: 'intake_lines_total' | 'intake_accepted_total' | 'intake_duplicates_total'): number {
    const from = ['intake', 'spill', 'log'];
    return from.reduce((total, source) => total + metrics.of(name, { from: source }).value(), 0);
  }
}
