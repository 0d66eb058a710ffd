import { type DestinationStream, type Logger, pino } from 'pino';
import { isRecent } from './is-recent.ts';
import { isJournal, logLineForJournal } from './journal.ts';
import { terminalJson } from './json-text.ts';

export type Log = Logger;

const STANDARD_ERROR = 2;

/**
 * A logger of JSON lines, safe for a terminal, to standard error or to `destination`. If systemd's journal reads them, each line has a
 * level prefix.
 */
export function createLog(level: string, destination?: DestinationStream): Log {
  const journal = destination === undefined && isJournal(STANDARD_ERROR, process.env);
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    hooks: {
      streamWrite: journal ? (line: string) => logLineForJournal(terminalJson(line)) : terminalJson,
    },
  };
  return pino(options, destination ?? createDestination({ dest: STANDARD_ERROR }));
}

/** A file or descriptor to log to. A failed write, for example on a full disk, does not end the process. */
export function createDestination(options: { dest: string | number; mode?: number }): DestinationStream {
  const destination = pino.destination({ ...options, sync: true });
  destination.on('error', () => {});
  return destination;
}

/**
 * A warning that may occur many times a second while something is unavailable: written at most once in `everyMs` for each `key`, with the
 * number of repetitions.
 */
export function createRepeatedWarning(
  log: Log,
  { everyMs = 60_000, now = Date.now }: { everyMs?: number; now?: () => number } = {},
): (key: string, message: string, fields?: object) => void {
  const seen = new Map<string, { written: number; since: number }>();
  return (key, message, fields = {}) => {
    const last = seen.get(key);
    if (last !== undefined && isRecent(last.written, now(), everyMs)) {
      last.since++;
      return;
    }
    log.warn(last?.since ? { ...fields, repeated: last.since } : fields, message);
    seen.set(key, { written: now(), since: 0 });
  };
}

/** The message of an error and its causes, in one line and without a stack. */
export function reasonOf(error: unknown): string {
  const parts: string[] = [];
  for (let current = error; current !== undefined && parts.length < 4; ) {
    const text = current instanceof Error ? current.message || current.name : String(current);
    if (text !== '' && !parts.some((part) => part.includes(text))) parts.push(text);
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join(': ').replace(/\s+/g, ' ').slice(0, 500);
}
