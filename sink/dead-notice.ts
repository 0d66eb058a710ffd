/** Logs dead letters. */
export type DeadNotice = {
  /** Notes records that are dead, with their reasons: from a closed list, without values. */
  add(reasons: string[]): void;
  /** Logs what was not logged yet. */
  close(): void;
};

export type DeadNoticeOptions = {
  /** Logs a line. */
  say: (fields: object, message: string) => void;
  everyMs?: number;
  now?: () => number;
};

const EVERY_MS = 60_000;
/** Maximum number of reasons in a line. */
const MOST_REASONS = 10;

/** Logs the first dead letter at once, then at most one line a minute with their number and reasons. */
export function createDeadNotice({ say, everyMs = EVERY_MS, now = Date.now }: DeadNoticeOptions): DeadNotice {
  let counts = new Map<string, number>();
  let written = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  return { add, close };

  function add(reasons: string[]): void {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    if (counts.size === 0 || timer !== undefined) return;
    // A clock that was set back since makes it no longer.
    const left = Math.min(everyMs, written + everyMs - now());
    if (left <= 0) write();
    else timer = setTimeout(write, left).unref();
  }

  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    written = now();
    const most = [...counts].sort(([, a], [, b]) => b - a);
    counts = new Map();
    const count = most.reduce((sum, [, one]) => sum + one, 0);
    say(
      { count, reasons: Object.fromEntries(most.slice(0, MOST_REASONS)) },
      'records could not be indexed and became dead letters, see `hotitem dead-letters list`',
    );
  }

  function close(): void {
    if (counts.size > 0) write();
  }
}
