import type { Metrics } from '../service/metrics.ts';
import type { SIDECAR_METRICS } from './metrics.ts';

/** The accounting of the sidecar since its start. It balances when `unaccounted` is 0. */
export type SidecarAccounts = {
  /** Lines that nginx posted or spilled, of which… */
  received: number;
  /** …these became an event in the spool, */
  accepted: number;
  /** …these were duplicates, */
  duplicate: number;
  /** …these were shed because the spool was filling up: the weights of accepted ones include them, */
  sampledOut: number;
  /** …and these are not events. */
  bad: number;
  /** The current load shedding step, 0 for none: the metric `ladder_step`. */
  ladder: number;
  /** Events in the spool at the start that were not delivered yet. */
  waitingAtStart: number;
  /** Events in the spool now. */
  waiting: number;
  /** Events that the next part (Kafka, or the index) acknowledged. */
  delivered: number;
  /** Events that Kafka rejected permanently: dead letters. */
  dead: number;
  /** Events in the spool that can no longer be read: damage on disk. */
  lost: number;
  /** waitingAtStart + accepted − waiting − delivered − dead − lost */
  unaccounted: number;
};

type IntakeTotal =
  | 'intake_lines_total'
  | 'intake_accepted_total'
  | 'intake_duplicates_total'
  | 'intake_sampled_out_total';

export type AccountingOptions = {
  metrics: Metrics<typeof SIDECAR_METRICS>;
  waiting: () => number;
  delivered: () => number;
  dead: () => number;
  lost: () => number;
};

/** Must be called before the first event arrives. The result is a function that reads all figures at one moment. */
export function createAccounting(options: AccountingOptions): () => SidecarAccounts {
  const { metrics, waiting, delivered, dead, lost } = options;
  const waitingAtStart = waiting();
  return () => {
    const received = sum('intake_lines_total');
    const accepted = sum('intake_accepted_total');
    const duplicate = sum('intake_duplicates_total');
    const sampledOut = sum('intake_sampled_out_total');
    const left = { waiting: waiting(), delivered: delivered(), dead: dead(), lost: lost() };
    return {
      received,
      accepted,
      duplicate,
      sampledOut,
      bad: received - accepted - duplicate - sampledOut,
      ladder: metrics.of('ladder_step').value(),
      waitingAtStart,
      ...left,
      unaccounted: waitingAtStart + accepted - left.waiting - left.delivered - left.dead - left.lost,
    };
  };

  function sum(name: IntakeTotal): number {
    const from = ['intake', 'spill', 'log'];
    return from.reduce((total, source) => total + metrics.of(name, { from: source }).value(), 0);
  }
}
