import { setTimeout as sleep } from 'node:timers/promises';
import type { DuckdbIndex } from '../store/duckdb/duckdb.ts';

/** A span is computed in a twentieth of the time, so a backlog takes a while and no more than 5 % of a core. */
const REST = 19;
const SHORTEST_MS = 1000;
const LONGEST_MS = 60_000;

/** Computes spans that are over (`closeSpan`) until `signal` is aborted. Looks for one a minute after the start, and then once a minute. */
export async function closeSpans(
  index: Pick<DuckdbIndex, 'closeSpan'>,
  signal: AbortSignal,
  onFailure: (error: unknown) => void,
  wait: typeof isOver = isOver,
): Promise<void> {
  let rest = LONGEST_MS;
  while (await wait(rest, signal)) {
    const began = performance.now();
    rest = LONGEST_MS;
    try {
      const span = await index.closeSpan();
      if (span !== undefined) rest = SHORTEST_MS;
    } catch (error) {
      if (!signal.aborted) onFailure(error);
    }
    rest = Math.max(rest, (performance.now() - began) * REST);
  }
}

/** Waits. Resolves with false as soon as `signal` is aborted. */
function isOver(ms: number, signal: AbortSignal): Promise<boolean> {
  return sleep(ms, true, { signal }).catch(() => false);
}
