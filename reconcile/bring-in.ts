import { createBackoff } from '../service/backoff.ts';
import { reasonOf } from '../service/log.ts';
import { type Index, IndexUnavailable, type Outcome } from '../store/event-index.ts';
import type { EventLookup } from '../store/event-lookup.ts';

/** What became of an event: `there` already, or one of the last words of an index. */
export type BroughtIn = { status: 'created' } | { status: 'there' } | { status: 'rejected'; reason: string };

/** How long an index may take nothing at all before a person is asked. */
const PATIENCE_MS = 60_000;

/** `count`: where it is missing, `create` alone knows what is there. */
export type BringInTo<One> = Pick<Index<One>, 'create'> & { count?: EventLookup['count'] };

/**
 * Creates those events that no backing index has: an index on the other side of a rollover is not asked by `create`.
 * Returns one outcome an event, in order. Throws an `IndexUnavailable` when the index takes nothing for a minute.
 */
export async function bringIn<One extends { id: string }>(
  index: BringInTo<One>,
  events: One[],
): Promise<BroughtIn[]> {
  const counts = await patiently(
    async () => (await index.count?.(events.map(({ id }) => id))) ?? events.map(() => 0),
  );
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
  async function createSome(some: One[]): Promise<Outcome[]> {
    const answers = await index.create(some);
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
