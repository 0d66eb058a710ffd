import { readFileSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { reasonOf } from '../../service/log.ts';
import { replaceFile } from '../../service/replace-file.ts';

const whole = z.number().int();

const totals = z.object({
  captured: whole,
  waiting: whole,
  spilled: whole,
  diverted: whole,
  dropped: whole,
  fulls: whole,
});

const remembered = z.object({
  /** When the accounting began, ms since 1970. */
  since: whole,
  /** Each nginx at its last report. */
  instances: z.array(totals.extend({ started: whole, instance: whole })),
  /** Sum of those that were removed from that list. */
  past: totals,
  /** Of the views that nginx sent without spilling them, those that had not arrived when the accounting began. */
  posted: whole,
  /** The same for spilled views, known when the spill folder is empty for the first time… */
  spilled: whole.optional(),
  /** …and when it was last empty. */
  spilledGap: whole,
  /** Lines that were ingested from requests and from spill files, and the duplicates among them. */
  intake: whole,
  spill: whole,
  known: whole,
  /** The next sequence of the spool at that time: events from there on arrived between the write and a crash. */
  sequence: whole,
});

/** What the accounting of nginx needs to continue after a restart of the sidecar. */
export type Remembered = z.output<typeof remembered>;

export type AccountingFile = {
  /** Undefined if there is none, or if it is damaged: then the accounting starts over. */
  load(): Remembered | undefined;
  /** Returns at once, and writes only changes. Not fsynced: after a power failure the accounting may start over. */
  store(accounting: Remembered): void;
};

/** As earlier versions named it. */
const FORMER_NAME = 'nginx-books.json';

/** A file with the former name, in the same folder, is renamed, unless it is older: after a downgrade it is the one to continue. */
export function createAccountingFile(
  path: string,
  warn: (key: string, message: string, fields?: object) => void,
): AccountingFile {
  const former = join(dirname(path), FORMER_NAME);
  let writing = false;
  let stored: string | undefined;
  return {
    load() {
      try {
        renameFormer();
      } catch (error) {
        warn('nginx accounting', `${former} of an earlier version cannot be renamed and is not continued`, {
          reason: reasonOf(error),
        });
      }
      try {
        return remembered.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
      } catch {
        return undefined;
      }
    },
    store(accounting) {
      const text = JSON.stringify(accounting);
      // The next report comes within a second.
      if (writing || text === stored) return;
      writing = true;
      replaceFile(path, text)
        .then(
          () => {
            stored = text;
          },
          (error: unknown) => {
            const reason = reasonOf(error);
            warn(
              'nginx accounting',
              'the accounting of nginx could not be stored; a restart begins it again',
              {
                reason,
              },
            );
          },
        )
        .finally(() => {
          writing = false;
        });
    },
  };

  function renameFormer(): void {
    const changed = changedAt(former);
    if (changed !== undefined && changed > (changedAt(path) ?? Number.NEGATIVE_INFINITY))
      renameSync(former, path);
  }
}

function changedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
