export type Progress = {
  /** `done` of `total`, in any unit; without a total only the count is shown. */
  show(done: number, total?: number): void;
  /** Erases the line. */
  end(): void;
};

type Terminal = { isTTY: boolean; write(text: string): boolean };

const WIDTH = 30;
const EVERY_MS = 100;

/** A progress line on the terminal. Writes nothing if stderr is not a terminal. */
export function createProgress(
  what: string,
  stream: Terminal = process.stderr,
  now: () => number = () => performance.now(),
): Progress {
  let shownAt = Number.NEGATIVE_INFINITY;
  if (!stream.isTTY) return { show: () => {}, end: () => {} };
  return {
    show(done, total) {
      if (now() - shownAt < EVERY_MS) return;
      shownAt = now();
      stream.write(`\r\x1b[K${what} ${total === undefined ? format(done) : bar(done, total)}`);
    },
    end: () => void stream.write('\r\x1b[K'),
  };
}

function bar(done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * WIDTH);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  return `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${percent}  ${format(done)} of ${format(total)}`;
}

function format(count: number): string {
  return count.toLocaleString('en');
}
