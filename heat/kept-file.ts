import { readFileSync, renameSync, statSync } from 'node:fs';
import type * as z from 'zod';
import { codeOf } from '../service/error-code.ts';
import { reasonOf } from '../service/log.ts';
import { createMutex } from '../service/mutex.ts';
import { replaceFile } from '../service/replace-file.ts';

/** A value stored in a file across restarts. */
export type KeptFile<Value> = {
  /** Undefined if there is no file, or if it is damaged: then it is renamed and logged. */
  load(): Value | undefined;
  /** Schedules a write of what `read` returns; calls before it starts are one write. Logs a warning if it fails. */
  save(read: () => Value): void;
  /** Resolves when it is on disk. Rejects if it cannot be written. */
  saveNow(read: () => Value): Promise<void>;
  /** Resolves when no write is pending. */
  settled(): Promise<void>;
};

export type KeptFileOptions<Value> = {
  path: string;
  schema: z.ZodType<Value>;
  /** Its content, for the log: `the hot items`. */
  what: string;
  /** A larger file counts as damaged. */
  mostBytes: number;
  /** Told what is on disk, after each write. */
  onWritten?: (value: Value) => void;
  warn: (key: string, message: string, fields?: object) => void;
};

export function createKeptFile<Value>(options: KeptFileOptions<Value>): KeptFile<Value> {
  const { path, schema, what, mostBytes, onWritten = () => {}, warn } = options;
  const oneByOne = createMutex();
  let isWanted = false;
  return {
    load,
    save(read) {
      if (isWanted) return;
      isWanted = true;
      oneByOne(async () => {
        isWanted = false;
        await write(read());
      }).catch((error: unknown) =>
        warn(`kept ${path}`, `${what} cannot be stored for a restart`, { path, reason: reasonOf(error) }),
      );
    },
    saveNow: (read) => oneByOne(() => write(read())),
    settled: () => oneByOne(async () => {}),
  };

  async function write(value: Value): Promise<void> {
    await replaceFile(path, JSON.stringify(value), { durable: true });
    onWritten(value);
  }

  function load(): Value | undefined {
    let text: string;
    try {
      if (statSync(path).size > mostBytes) return setAside(`more than ${mostBytes} bytes`);
      text = readFileSync(path, 'utf8');
    } catch (error) {
      return codeOf(error) === 'ENOENT' ? undefined : setAside(reasonOf(error));
    }
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      return setAside('it is damaged');
    }
  }

  function setAside(reason: string): undefined {
    const aside = `${path}.damaged`;
    try {
      renameSync(path, aside);
    } catch {
      // Then the next write replaces it.
    }
    warn(`kept ${path} damaged`, `${what} from before the restart are lost`, { path, aside, reason });
    return undefined;
  }
}
