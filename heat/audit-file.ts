import { appendFile, rename, stat } from 'node:fs/promises';
import { terminalJson } from '../service/json-text.ts';
import { reasonOf } from '../service/log.ts';

/** One entry: who did what, and why. */
export type AuditEntry = {
  /** `rule: NAME`, or the login of the operator. */
  who: string;
  what: string;
  item?: string;
  /** Why it was done. */
  reason: string;
  [detail: string]: unknown;
};

export type Audit = {
  /** Queues an entry and returns at once. */
  note(entry: AuditEntry): void;
  /** Resolves when all queued entries are written, or could not be. */
  written(): Promise<void>;
};

export type AuditOptions = {
  path: string;
  now: () => number;
  warn: (key: string, message: string, fields?: object) => void;
  /** A larger file is renamed to `PATH.1`, replacing the older one. */
  largestBytes?: number;
};

const LARGEST_BYTES = 16 * 1024 * 1024;
const MOST_PENDING = 10_000;
/** Readable by its owner and group only. */
const MODE = 0o640;

/**
 * An NDJSON log of each change of the hot list. Item names come from anybody: they are escaped, so that no terminal interprets them and no
 * entry looks like two. If an entry cannot be written, it is dropped with a warning.
 */
export function createAudit({ path, now, warn, largestBytes = LARGEST_BYTES }: AuditOptions): Audit {
  let pending: string[] = [];
  let writing: Promise<void> | undefined;
  return {
    note(entry) {
      if (pending.length === MOST_PENDING) {
        warn('heat audit', 'the audit log cannot keep up: changes of the hot list are missing in it', {
          path,
        });
        return;
      }
      pending.push(terminalJson(JSON.stringify({ time: new Date(now()).toISOString(), ...entry })));
      writing ??= write().finally(() => {
        writing = undefined;
      });
    },
    written: async () => writing,
  };

  async function write(): Promise<void> {
    // Entries of one turn of the event loop are written together.
    await undefined;
    while (pending.length > 0) {
      const lines = `${pending.join('\n')}\n`;
      pending = [];
      try {
        await makeRoom();
        await appendFile(path, lines, { mode: MODE });
      } catch (error) {
        warn('heat audit', 'the audit log cannot be written', { path, reason: reasonOf(error) });
      }
    }
  }

  async function makeRoom(): Promise<void> {
    const size = await stat(path).then(
      (found) => found.size,
      () => 0,
    );
    if (size > largestBytes) await rename(path, `${path}.1`);
  }
}
