import type { HotItemEvent } from '../event/event.ts';
import { createBackoff } from '../service/backoff.ts';
import { reasonOf } from '../service/log.ts';
import { IndexUnavailable, type Outcome } from '../store/event-index.ts';
import type { EventLookup } from '../store/event-lookup.ts';

/** What became of an event: `there` already, or one of the last words of an index. */
export type BroughtIn = { status: 'created' } | { status: 'there' } | { status: 'rejected'; reason: string };

/** How long an index may take nothing at all before a person is asked. */
const PATIENCE_MS = 60_000;

/**
 * Creates those events that no backing index has: an index on the other side of a rollover is not asked by `create`.
 * Returns one outcome an event, in order. Throws an `IndexUnavailable` when the index takes nothing for a minute.
 */
export async function bringIn(lookup: EventLookup, events: HotItemEvent[]): Promise<BroughtIn[]> {
  const counts = await patiently(() => lookup.count(events.map(({ id }) => id)));
  const outcomes: BroughtIn[] = events.map(() => ({ status: 'there' }));
  let left = events.map((event, at) => ({ event, at })).filter(({ at }) => counts[at] === 0);
  while (left.length > 0) {
    const asked = left;
    const answers = await patiently(() => createSome(asked.map(({ event }) => event)));
    left = asked.filter(({ at }, i) => {
      const answer = answers[i];
      if (answer === undefined || answer.status === 'retry') return true;
      outcomes[at] = toBroughtIn(answer);
      return false;
    });
  }
  return outcomes;

  /** Throws when not one of them got further. */
  async function createSome(some: HotItemEvent[]): Promise<Outcome[]> {
    const answers = await lookup.create(some);
    const retry = answers.find((answer) => answer.status === 'retry');
    if (retry?.status === 'retry' && answers.every(({ status }) => status === 'retry')) {
      throw new IndexUnavailable(retry.reason);
    }
    return answers;
  }
}

function toBroughtIn(answer: Exclude<Outcome, { status: 'retry' }>): BroughtIn {
  if (answer.status === 'exists') return { status: 'there' };
  if (answer.status === 'dropped')
    return { status: 'rejected', reason: `the index drops it: ${answer.reason}` };
  return answer;
}

async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const backoff = createBackoff();
  while (true) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof IndexUnavailable)) throw error;
      const waited = await backoff.wait(patience).then(
        () => true,
        () => false,
      );
      if (!waited)
        throw new IndexUnavailable(`the index accepts nothing: ${reasonOf(error)}`, { cause: error });
    }
  }
}
