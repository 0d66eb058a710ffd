/** Logs dead letters. */
export type DeadNotice = {
  /** Why each of some records is dead: from a closed list, without values. */
  add(reasons: string[]): void;
  /** Writes what was not written yet. */
  close(): void;
};

export type DeadNoticeOptions = {
  /** Writes a line. */
  say: (fields: object, message: string) => void;
  everyMs?: number;
  now?: () => number;
};

const EVERY_MS = 60_000;
/** Reasons in a line. */
const MOST_REASONS = 10;

/** A line a minute at most, with how many there were since the last one and why; the first at once. */
export function createDeadNotice({ say, everyMs = EVERY_MS, now = Date.now }: DeadNoticeOptions): DeadNotice {
  let counts = new Map<string, number>();
  let written = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  return { add, close };

  function add(reasons: string[]): void {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    if (counts.size === 0 || timer !== undefined) return;
    const left = written + everyMs - now();
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
