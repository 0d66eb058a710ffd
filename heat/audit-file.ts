import { appendFile, rename, stat } from 'node:fs/promises';
import { terminalJson } from '../service/json-text.ts';
import { reasonOf } from '../service/log.ts';

/** Who did what, and why. */
export type AuditEntry = {
  /** `rule: NAME`, or who asked by hand. */
  who: string;
  what: string;
  item?: string;
  /** Why. */
  reason: string;
  [detail: string]: unknown;
};

export type Audit = {
  /** Returns at once. */
  note(entry: AuditEntry): void;
  /** Resolves when all that was noted is written, as far as it can be. */
  written(): Promise<void>;
};

export type AuditOptions = {
  path: string;
  now: () => number;
  warn: (key: string, message: string, fields?: object) => void;
  /** A larger file is set aside as `PATH.1`, in the place of the one before it. */
  largestBytes?: number;
};

const LARGEST_BYTES = 16 * 1024 * 1024;
const MOST_PENDING = 10_000;
/** Only its owner and group read who did what. */
const MODE = 0o640;

/**
 * A line of JSON for each change of what is hot. Names of items are anybody's: they are escaped so that no terminal obeys them, and no
 * line holds two entries. What cannot be written is warned of and left out.
 */
export function createAudit({ path, now, warn, largestBytes = LARGEST_BYTES }: AuditOptions): Audit {
  let pending: string[] = [];
  let writing: Promise<void> | undefined;
  return {
    note(entry) {
      if (pending.length === MOST_PENDING) {
        warn('heat audit', 'changes of the hot list come faster than they are written to the audit log', {
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
    // All of one turn of the event loop go together.
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
