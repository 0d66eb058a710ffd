import { join } from 'node:path';
import { run } from '../../service/run.ts';

const PROGRAM = join(import.meta.dirname, '../../dist/hotitem.mjs');

/** `hotitem setup` with these settings. Throws with what it says when it fails. Returns what it printed. */
export async function setUpIndexes(env: Record<string, string>, args: string[] = []): Promise<string> {
  const ran = await run(process.execPath, [PROGRAM, 'setup', ...args], {
    env: { PATH: process.env.PATH, ...env },
  });
  if (ran.code !== 0) throw new Error(`hotitem setup: ${ran.stdout}${ran.stderr}`);
  return ran.stdout;
}
