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
  /** The current load shedding step, 0 for none: the metric `shedding_step`. */
  sheddingStep: number;
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

/** What became of the events that a spool accepted. */
export type Left = {
  waiting: () => number;
  delivered: () => number;
  dead: () => number;
  lost: () => number;
};

export type AccountingOptions = Left & { metrics: Metrics<typeof SIDECAR_METRICS> };

type Balance = Record<keyof Left | 'waitingAtStart' | 'unaccounted', number>;

/** The balance of a spool that accepted so many since its start: what of them, and of those that waited then, is where. */
export function createBalance(
  { waiting, delivered, dead, lost }: Left,
  waitingAtStart: number,
): (accepted: number) => Balance {
  return (accepted) => {
    const left = { waiting: waiting(), delivered: delivered(), dead: dead(), lost: lost() };
    return {
      waitingAtStart,
      ...left,
      unaccounted: waitingAtStart + accepted - left.waiting - left.delivered - left.dead - left.lost,
    };
  };
}

/** Must be called before the first event arrives. The result is a function that reads all figures at one moment. */
export function createAccounting(options: AccountingOptions): () => SidecarAccounts {
  const { metrics } = options;
  const balance = createBalance(options, options.waiting());
  return () => {
    const received = sum('intake_lines_total');
    const accepted = sum('intake_accepted_total');
    const duplicate = sum('intake_duplicates_total');
    const sampledOut = sum('intake_sampled_out_total');
    return {
      received,
      accepted,
      duplicate,
      sampledOut,
      bad: received - accepted - duplicate - sampledOut,
      sheddingStep: metrics.of('shedding_step').value(),
      ...balance(accepted),
    };
  };

  function sum(name: IntakeTotal): number {
    const from = ['intake', 'spill', 'log'];
    return from.reduce((total, source) => total + metrics.of(name, { from: source }).value(), 0);
  }
}
