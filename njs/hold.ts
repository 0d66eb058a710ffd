import { isAhead } from './ahead.ts';
import { leave } from './flush.ts';
import { workerTitle } from './leaving.ts';
import { pause } from './pause.ts';

/** Ends before the next turn. Should nginx's title not tell, a quit takes as long at most. */
const RUN_MS = 4_950;
const LOOK_MS = 100;

/**
 * Keeps the first worker from exiting before the zone is empty: no periodic runs any more once a worker exits, but one that
 * is running is waited for.
 */
export async function hold(session: NginxPeriodicSession): Promise<void> {
  const title = workerTitle();
  // Cut short for want of room, or no /proc: nothing would show.
  if (title.indexOf('nginx: worker process') < 0) return;
  const end = Date.now() + RUN_MS;
  while (isAhead(end, RUN_MS)) {
    await pause(Math.min(LOOK_MS, end - Date.now()));
    if (workerTitle() !== title) return leave(session);
  }
}
