/** What nginx logs when a periodic handler still runs at its next turn, and is ended for it. */
const ENDED =
  /^\S+ (\S+) \[error\] (\d+#\d+): http js periodic .* is already running, killing previous instance\n(?:\S+ \S+ \[error\] \2: pending events\n)?/gm;
/** A handler that is always too long is ended each second, in each worker that runs it. */
const MOST_IN_A_ROW = 4;

/** An error log without the lines that come of a machine too busy to run a handler of 0.9 s within a second. Where they come in a row, they stay. */
export function withoutLate(errorLog: string): string {
  const ended = [...errorLog.matchAll(ENDED)].map(([, time = '', worker = '']) => ({
    worker,
    second: Date.parse(`1970-01-01T${time}Z`) / 1_000,
  }));
  const workers = new Set(ended.map(({ worker }) => worker));
  const isSteady = [...workers].some((worker) => {
    const seconds = ended.filter((line) => line.worker === worker).map(({ second }) => second);
    return longestRun(seconds) > MOST_IN_A_ROW;
  });
  return isSteady ? errorLog : errorLog.replaceAll(ENDED, '');
}

/** How many seconds in a row a handler was ended in. */
function longestRun(seconds: number[]): number {
  let [run, longest] = [0, 0];
  let last = Number.NaN;
  for (const second of seconds) {
    if (second !== last) run = second === last + 1 ? run + 1 : 1;
    last = second;
    longest = Math.max(longest, run);
  }
  return longest;
}
