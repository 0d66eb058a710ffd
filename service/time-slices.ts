/** Runs work at once, or in a later turn of the event loop, in the order of the calls. The work does not throw. */
export type TimeSlices = (work: () => void) => void;

/** Beside the 200 ms within which `/livez` answers. */
const LONGEST_MS = 20;

/**
 * Runs work until a turn of the event loop has lasted `longestMs`, and the rest in the turns that follow, a slice each: whatever many
 * connections ask for in the same moment, everything else in the process runs in between. A piece of work is not interrupted; with 0
 * each has a turn of its own.
 */
export function createTimeSlices(longestMs: number = LONGEST_MS): TimeSlices {
  let waiting: (() => void)[] = [];
  /** Of this turn; undefined while nothing was run in it. */
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

  /** Always at least one, or none would ever run on a machine that is slow enough. */
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
