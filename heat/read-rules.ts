import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { reasonOf } from '../service/log.ts';
import { parseRules, type RulesContext, RulesError } from './parse-rules.ts';
import type { RulesFile } from './rules-schema.ts';

/** A rules file: its text, and the rules in it. */
export type RulesText = { text: string; rules: RulesFile };

const LARGEST_BYTES = 1024 * 1024;

/** Reads a rules file. Rejects with a `RulesError` with all problems. */
export async function readRules(path: string, context: RulesContext = {}): Promise<RulesText> {
  try {
    const text = await readText(path);
    return { text, rules: parseRules(text, context) };
  } catch (error) {
    throw error instanceof RulesError ? error : new RulesError([`${path}: ${reasonOf(error)}`]);
  }
}

async function readText(path: string): Promise<string> {
  // Opening a pipe would block.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new RulesError(['the file: must be a regular file']);
    if (found.size > LARGEST_BYTES)
      throw new RulesError([`the file: must have at most ${LARGEST_BYTES} bytes`]);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}
