import { durationText } from './hot/hot-text.ts';
import { number } from './numbers.ts';
import { isScreen } from './screen/screen.ts';

export type Progress = {
  /** `done` of `total`, in any unit; without a total only the count is shown. */
  show(done: number, total?: number): void;
  /** Erases the line. */
  end(): void;
};

type Terminal = { isTTY: boolean; write(text: string): boolean };
type Place = { stream?: Terminal; env?: Record<string, string | undefined> };

const WIDTH = 30;
const EVERY_MS = 100;
/** What takes no longer shows nothing. */
const SHORT_MS = 500;
/** Before that, how long it takes is a guess. */
const KNOWN_AFTER_MS = 2_000;
const SECOND_MS = 1_000;

/** A progress line on the terminal, with the time that is left. Writes nothing if stderr is not a terminal. */
export function createProgress(
  what: string,
  { stream = process.stderr, env = process.env }: Place = {},
): Progress {
  if (!isScreen(stream, env)) return { show: () => {}, end: () => {} };
  const startedAt = performance.now();
  let shownAt = startedAt + SHORT_MS - EVERY_MS;
  let isShown = false;
  return {
    show(done, total) {
      const at = performance.now();
      if (at - shownAt < EVERY_MS) return;
      shownAt = at;
      isShown = true;
      stream.write(
        `\r\x1b[K${what} ${total === undefined ? number(done) : bar(done, total, at - startedAt)}`,
      );
    },
    end() {
      if (isShown) stream.write('\r\x1b[K');
      isShown = false;
    },
  };
}

/** Begins a progress line when it is called. Undefined where there can be none, so that the caller reports in lines of its own. */
export function progressLater(what: string, place: Place = {}): (() => Progress) | undefined {
  const { stream = process.stderr, env = process.env } = place;
  return isScreen(stream, env) ? () => createProgress(what, place) : undefined;
}

/** Shows for how long something has been waited for, and for how long at most. Nothing if stderr is not a terminal. Resolves as `work`. */
export async function showWait<Value>(
  what: string,
  work: Promise<Value>,
  { atMostMs, stream = process.stderr, env = process.env }: Place & { atMostMs?: number } = {},
): Promise<Value> {
  if (!isScreen(stream, env)) return work;
  const most = atMostMs === undefined ? '' : ` of ${durationText(atMostMs)} at most`;
  let seconds = 0;
  const timer = setInterval(() => stream.write(`\r\x1b[K${what}: ${++seconds} s${most}`), SECOND_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
    if (seconds > 0) stream.write('\r\x1b[K');
  }
}

function bar(done: number, total: number, elapsedMs: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * WIDTH);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const isKnown = elapsedMs >= KNOWN_AFTER_MS && share > 0;
  const left = isKnown ? `, ${durationText((elapsedMs * (1 - share)) / share)} left` : '';
  return `[${'#'.repeat(filled)}${'-'.repeat(WIDTH - filled)}] ${percent}${left}`;
}
