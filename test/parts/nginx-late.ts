/** What nginx logs when a periodic handler still runs at its next turn, and is ended for it. */
const ENDED =
  /^\S+ \S+ \[error\] (\d+#\d+): http js periodic .* is already running, killing previous instance\n(?:\S+ \S+ \[error\] \1: pending events\n)?/gm;
/** A handler that is always too long is ended each second, in each worker that runs it. */
const MOST = 4;

/** An error log without the few lines that come of a machine too busy to run a handler of 0.9 s within a second. Where they are many, they stay. */
export function withoutLate(errorLog: string): string {
  const ended = errorLog.match(ENDED) ?? [];
  return ended.length > MOST ? errorLog : errorLog.replaceAll(ENDED, '');
}
