import { readFileSync, renameSync, statSync } from 'node:fs';
import type { z } from 'zod';
import { codeOf } from '../service/error-code.ts';
import { reasonOf } from '../service/log.ts';
import { createMutex } from '../service/mutex.ts';
import { replaceFile } from '../service/replace-file.ts';

/** A value that is kept on disk over a restart. */
export type KeptFile<Value> = {
  /** Undefined where there is none, or it is damaged: then it is set aside, and said. */
  load(): Value | undefined;
  /** Writes what `read` returns soon: many calls at a time are one write. What cannot be written is warned of. */
  save(read: () => Value): void;
  /** Resolves when it is on disk. Rejects where it cannot be. */
  saveNow(read: () => Value): Promise<void>;
  /** Resolves when nothing is being written. */
  settled(): Promise<void>;
};

export type KeptFileOptions<Value> = {
  path: string;
  schema: z.ZodType<Value>;
  /** What is in it, for the log: `the hot items`. */
  what: string;
  /** A larger one is damaged. */
  mostBytes: number;
  warn: (key: string, message: string, fields?: object) => void;
};

export function createKeptFile<Value>(options: KeptFileOptions<Value>): KeptFile<Value> {
  const { path, schema, what, mostBytes, warn } = options;
  const oneByOne = createMutex();
  let isWanted = false;
  return {
    load,
    save(read) {
      if (isWanted) return;
      isWanted = true;
      oneByOne(async () => {
        isWanted = false;
        await replaceFile(path, JSON.stringify(read()), { durable: true });
      }).catch((error: unknown) =>
        warn(`kept ${path}`, `${what} cannot be kept for a restart`, { path, reason: reasonOf(error) }),
      );
    },
    saveNow: (read) => oneByOne(() => replaceFile(path, JSON.stringify(read()), { durable: true })),
    settled: () => oneByOne(async () => {}),
  };

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
      // Then it is replaced by the next write.
    }
    warn(`kept ${path} damaged`, `${what} of before the restart are lost`, { path, aside, reason });
    return undefined;
  }
}
