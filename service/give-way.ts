import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Asked after each piece of a long work. Undefined: go on. Otherwise this turn of the event loop has lasted long enough, and the promise
 * resolves in the next one: `const turn = giveWay(); if (turn !== undefined) await turn;`
 */
export type GiveWay = () => Promise<void> | undefined;

/** Beside the 200 ms within which `/livez` answers. */
const LONGEST_MS = 20;

/**
 * Whatever asks the same one shares its time: several works in one turn take no longer than one. Each does at least a piece of its own in a
 * turn, or none would get on where a piece takes longer than that.
 */
export function createGiveWay(longestMs: number = LONGEST_MS): GiveWay {
  /** When the first piece of this turn was done; undefined before it. */
  let began: number | undefined;
  return () => {
    if (began === undefined) {
      began = performance.now();
      setImmediate(() => {
        began = undefined;
      });
      return undefined;
    }
    return performance.now() - began < longestMs ? undefined : nextTurn();
  };
}

/** The process has one event loop. */
export const giveWay: GiveWay = createGiveWay();

/** What `work` makes of each item, in their order, in as many turns of the event loop as that takes. */
export async function mapInTurns<T, R>(items: Iterable<T>, work: (item: T) => R): Promise<R[]> {
  const made: R[] = [];
  for (const item of items) {
    made.push(work(item));
    const turn = giveWay();
    if (turn !== undefined) await turn;
  }
  return made;
}
