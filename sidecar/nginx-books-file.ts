import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { reasonOf } from '../service/log.ts';
import { replaceFile } from '../service/replace-file.ts';

const whole = z.number().int();

const remembered = z.object({
  /** Which nginx: when its shared memory was made, ms since 1970. */
  started: whole,
  /** Of the views that it gave away without spilling them, those that had not come when its books began. */
  posted: whole,
  /** The same of those that it spilled, known when the spill folder is empty for the first time… */
  spilled: whole.optional(),
  /** …and when it was empty for the last time. */
  spilledGap: whole,
  /** Lines that were taken in by request and from spill files, and those among them that were known. */
  intake: whole,
  spill: whole,
  known: whole,
  /** The next of the spool then: what came after it and before a crash is in the spool. */
  sequence: whole,
});

/** What the books of nginx need to go on where the sidecar before this one ended. */
export type Remembered = z.output<typeof remembered>;

export type BooksFile = {
  /** Undefined where there is none, or it is damaged: the books then begin anew. */
  load(): Remembered | undefined;
  /** Returns at once, and writes nothing where nothing has changed. Not forced to the disk: after a power failure the books may begin anew. */
  store(books: Remembered): void;
};

export function createBooksFile(
  path: string,
  warn: (key: string, message: string, fields?: object) => void,
): BooksFile {
  let writing = false;
  let stored: string | undefined;
  return {
    load() {
      try {
        return remembered.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
      } catch {
        return undefined;
      }
    },
    store(books) {
      const text = JSON.stringify(books);
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
            warn('nginx books', 'the books of nginx are not on disk; a restart begins them anew', { reason });
          },
        )
        .finally(() => {
          writing = false;
        });
    },
  };
}
