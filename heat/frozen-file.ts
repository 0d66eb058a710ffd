import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import * as z from 'zod';
import { codeOf } from '../service/error-code.ts';
import { createMutex } from '../service/mutex.ts';
import { replaceFile } from '../service/replace-file.ts';

/** Since when, by whom and why the hot list is frozen. */
export type Freeze = { since: number; by: string; reason: string };

export type FrozenFile = {
  /** Undefined if it is not frozen. */
  state(): Freeze | undefined;
  /** Resolves when it is on disk. */
  freeze(freeze: Freeze): Promise<void>;
  thaw(): Promise<void>;
};

const stored = z.object({ since: z.number(), by: z.string(), reason: z.string() });

/**
 * Stores across restarts that the hot list is frozen. The file freezes by its existence, whatever it contains: a damaged file must not undo
 * a freeze.
 */
export function createFrozenFile(path: string, now: () => number): FrozenFile {
  let state = load(path, now);
  // One by one: after a freeze and a thaw at the same time, the file must agree with the state.
  const oneByOne = createMutex();
  return {
    state: () => state,
    async freeze(freeze) {
      state = freeze;
      await oneByOne(() => replaceFile(path, JSON.stringify(freeze), { durable: true }));
    },
    async thaw() {
      const thawed = state;
      await oneByOne(() => rm(path, { force: true }));
      // Unless it was frozen again meanwhile.
      if (state === thawed) state = undefined;
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
  return { since, by: 'unknown', reason: 'heat-frozen.json cannot be read' };
}
