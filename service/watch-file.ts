import { signOf } from './file-sign.ts';

export type FileWatch = {
  /** Checks the file now. */
  look(): Promise<void>;
  /** Stops checking. Resolves when a read that has begun is over. */
  close(): Promise<void>;
};

export type FileWatchOptions = {
  path: string;
  /** State of the file (`signOf`) that was read already; without it the first check reads at once. */
  seen?: string;
  everyMs?: number | undefined;
  /**
   * Reads the file. `isNew`: it has changed since the last time. Resolves with whether to try again at the next check although it has not.
   * Must not reject.
   */
  read: (isNew: boolean) => Promise<boolean>;
};

const EVERY_MS = 1_000;

/** Checks a file every second, and has it read once it has changed and then been unchanged since the last check: it may still be written. */
export function watchFile({ path, seen, everyMs = EVERY_MS, read }: FileWatchOptions): FileWatch {
  let last = seen;
  /** At the last check. */
  let found = seen;
  let isDue = false;
  let looking: Promise<void> | undefined;
  const timer = setInterval(() => void look(), everyMs).unref();
  return {
    look,
    async close() {
      clearInterval(timer);
      await looking;
    },
  };

  function look(): Promise<void> {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  async function lookOnce(): Promise<void> {
    const sign = await signOf(path);
    const isSettled = found === undefined || sign === found;
    found = sign;
    if (!isSettled || (sign === last && !isDue)) return;
    isDue = await read(sign !== last);
    // The state from before the read: a write during the read is noticed by later checks.
    last = sign;
  }
}
