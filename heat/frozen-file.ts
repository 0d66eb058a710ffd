import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { codeOf } from '../service/error-code.ts';
import { replaceFile } from '../service/replace-file.ts';

/** Since when, by whom and why nginx is shown no hot item. */
export type Freeze = { since: number; by: string; reason: string };

export type FrozenFile = {
  /** Undefined while it is not frozen. */
  state(): Freeze | undefined;
  /** Resolves when it is on disk. */
  freeze(freeze: Freeze): Promise<void>;
  thaw(): Promise<void>;
};

const stored = z.object({ since: z.number(), by: z.string(), reason: z.string() });

/**
 * Keeps over a restart that the hot list is frozen. Whatever the file holds, that it is there freezes: a damaged one must not switch on
 * again what somebody has switched off.
 */
export function createFrozenFile(path: string, now: () => number): FrozenFile {
  let state = load(path, now);
  return {
    state: () => state,
    async freeze(freeze) {
      state = freeze;
      await replaceFile(path, JSON.stringify(freeze), { durable: true });
    },
    async thaw() {
      await rm(path, { force: true });
      state = undefined;
    },
  };
}

function load(path: string, now: () => number): Freeze | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? undefined : unknown(now());
  }
  try {
    return stored.parse(JSON.parse(text));
  } catch {
    return unknown(now());
  }
}

function unknown(since: number): Freeze {
  return { since, by: 'unknown', reason: 'the file that says so cannot be read' };
}
