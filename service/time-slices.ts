/** Runs work at once, or in a later turn of the event loop, in the order of the calls. The work must not throw. */
export type TimeSlices = (work: () => void) => void;

/** A part of the 200 ms within which `/livez` answers. */
const LONGEST_MS = 20;

/**
 * Runs work until a turn of the event loop has lasted `longestMs`, and the rest in later turns: however much many connections ask for at
 * once, the rest of the process runs in between. A piece of work is not interrupted; with 0 each has its own turn.
 */
export function createTimeSlices(longestMs: number = LONGEST_MS): TimeSlices {
  let waiting: (() => void)[] = [];
  /** Start of this turn; undefined while nothing was run in it. */
  let began: number | undefined;
  return (work) => {
    const isFirst = began === undefined;
    if (isFirst) begin();
    if (waiting.length > 0 || (!isFirst && isOver())) waiting.push(work);
    else work();
  };

  function begin(): void {
    began = performance.now();
    setImmediate(next);
  }

  function isOver(): boolean {
    return performance.now() - (began ?? 0) >= longestMs;
  }

  /** At least one, so that slow machines make progress. */
  function next(): void {
    began = undefined;
    if (waiting.length === 0) return;
    begin();
    let done = 0;
    do waiting[done++]?.();
    while (done < waiting.length && !isOver());
    waiting = waiting.slice(done);
  }
}
