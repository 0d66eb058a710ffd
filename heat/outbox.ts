import type { HotDecision } from '../event/decision-fields.ts';
import { parseDecision } from '../event/parse-decision.ts';
import { reasonOf } from '../service/log.ts';
import type { Metrics } from '../service/metrics.ts';
import type { DECISION_METRICS } from './metrics.ts';

/*
 * Delivers decisions to the outside.
 *
 * A decision is first stored together with the state that results from it, in one file (`pending` is part of `heat.json`), and then
 * appended to a spool of its own, from which it is delivered. After a kill in between, the next start appends it again, with the same id.
 * So the stored state and the delivered decisions always agree.
 *
 * Bounded: the spool has a limit, and while it rejects appends, the last `MOST_PENDING` decisions wait here. When there are more, an older
 * decision of the same item is dropped first, then the oldest; both are counted. That the cap holds an item back says nothing of what is hot:
 * such a decision is dropped while half as many wait, so that it never takes the place of another.
 */

export type Outbox = {
  /** Returns at once. */
  add(decision: HotDecision): void;
  /** Decisions that may not be in the spool yet, to be stored with the state. */
  pending(): string[];
  /** The given decisions are stored on disk: append them to the spool. Never rejects. */
  stored(texts: readonly string[]): Promise<void>;
  /** Retries what the spool rejected. */
  tick(now: number): void;
  /** Resolves when no append is running. */
  settled(): Promise<void>;
};

export type OutboxOptions = {
  /** Pending decisions from before the restart. */
  pending: readonly string[];
  /** Resolves when they are in the spool. */
  append: (texts: string[]) => Promise<unknown>;
  /** Called when the pending decisions change, which must be stored. */
  onChange: () => void;
  metrics: Metrics<typeof DECISION_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
  mostPending?: number;
};

type Pending = { text: string; item: string; isStored: boolean; isSending: boolean };

const MOST_PENDING = 1_000;
const RETRY_MS = 5_000;

export function createOutbox(options: OutboxOptions): Outbox {
  const { append, onChange, metrics, warn, mostPending = MOST_PENDING } = options;
  let pending: Pending[] = options.pending.slice(-mostPending).flatMap((text) => fromBefore(text));
  let appending: Promise<void> | undefined;
  let retryAt = 0;
  let hasFailed = pending.length > 0;
  metrics.of('decisions_pending').follow(() => pending.length);
  return {
    add(decision) {
      metrics.of('decisions_decided_total').add();
      if (decision.change === 'held' && pending.length >= mostPending / 2) {
        dropped('full');
        return;
      }
      pending.push({
        text: JSON.stringify(decision),
        item: decision.item,
        isStored: false,
        isSending: false,
      });
      if (pending.length > mostPending) makeRoom();
      onChange();
    },
    pending: () => pending.map(({ text }) => text),
    stored(texts) {
      const known = new Set(texts);
      for (const one of pending) if (known.has(one.text)) one.isStored = true;
      return flush();
    },
    tick(now) {
      if (!hasFailed || (now < retryAt && retryAt - now <= RETRY_MS)) return;
      retryAt = now + RETRY_MS;
      void flush();
    },
    async settled() {
      while (appending !== undefined) await appending;
    },
  };

  /** Written by an earlier process. */
  function fromBefore(text: string): Pending[] {
    try {
      const decision = parseDecision(text);
      return [{ text: JSON.stringify(decision), item: decision.item, isStored: true, isSending: false }];
    } catch (error) {
      metrics.of('decisions_dropped_total', { reason: 'damaged' }).add();
      warn('decisions damaged', 'a decision of before the restart cannot be read', {
        reason: reasonOf(error),
      });
      return [];
    }
  }

  async function flush(): Promise<void> {
    // Decisions stored meanwhile are appended by the next round.
    while (appending !== undefined) await appending;
    const some = pending.filter(({ isStored }) => isStored);
    if (some.length === 0) return;
    appending = send(some).finally(() => {
      appending = undefined;
    });
    await appending;
  }

  async function send(some: Pending[]): Promise<void> {
    for (const one of some) one.isSending = true;
    try {
      await append(some.map(({ text }) => text));
      hasFailed = false;
    } catch (error) {
      hasFailed = true;
      for (const one of some) one.isSending = false;
      warn('decisions', 'decisions cannot be written to their outbox, retrying', { reason: reasonOf(error) });
      return;
    }
    metrics.of('decisions_told_total').add(some.length);
    const told = new Set(some);
    pending = pending.filter((one) => !told.has(one));
    onChange();
  }

  /** A decision that is being appended is never dropped: it may be delivered already. */
  function makeRoom(): void {
    const last = new Map(pending.map((one) => [one.item, one]));
    const waiting = pending.filter(({ isSending }) => !isSending);
    if (waiting.length <= mostPending) return;
    const superseded = waiting.find((one) => last.get(one.item) !== one);
    const gone = superseded ?? waiting[0];
    pending = pending.filter((one) => one !== gone);
    dropped(superseded === undefined ? 'full' : 'superseded');
  }

  function dropped(reason: 'full' | 'superseded'): void {
    metrics.of('decisions_dropped_total', { reason }).add();
    warn('decisions dropped', 'decisions wait for their outbox, and some are dropped', {
      waiting: pending.length,
    });
  }
}
