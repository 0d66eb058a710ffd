import { isAhead } from './ahead.ts';
import { leave } from './flush.ts';
import { WORKER, workerTitle } from './leaving.ts';
import { pause } from './pause.ts';

/** Ends before the next run of the periodic. If nginx's process title does not reveal the exit, a quit takes this long at most. */
const RUN_MS = 4_950;
const LOOK_MS = 100;

/**
 * Keeps the first worker from exiting before the zone is empty: an exiting worker starts no periodic, but waits for one that is running.
 */
export async function hold(session: NginxPeriodicSession): Promise<void> {
  const title = workerTitle();
  // The title is truncated, or there is no /proc: an exit cannot be detected.
  if (title.indexOf(WORKER) < 0) return;
  const end = Date.now() + RUN_MS;
  while (isAhead(end, RUN_MS)) {
    await pause(Math.min(LOOK_MS, end - Date.now()));
    if (workerTitle() !== title) return leave(session);
  }
}
