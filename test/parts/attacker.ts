import { chmodSync } from 'node:fs';
import { test } from '@jest/globals';
import { run } from '../../provision/run.ts';
import { temporaryFolder } from './guard.ts';

/** A user of this machine that owns nothing: what an attacker on the host has. */
export const ANOTHER_USER = 65_534;
const ROOT = process.getuid?.() === 0;

/** Only root can become another user: elsewhere these tests are skipped. */
export const testAsRoot = ROOT ? test : test.skip;

/** What begins a command that another user runs. */
export function asUser(uid: number = ANOTHER_USER): string[] {
  return ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
}

/** Has another user run a line of shell. Throws where that fails: the attack has not happened then. */
export async function attack(cwd: string, line: string, uid?: number): Promise<void> {
  const [program = '', ...args] = [...asUser(uid), 'sh', '-c', line];
  const { code, stderr } = await run(program, args, { cwd });
  if (code !== 0) throw new Error(`the other user cannot run ${line}: ${stderr}`);
}

/** A folder that every user may write to, as /tmp is. */
export function sharedFolder(name: string): { path: string; remove: () => void } {
  const folder = temporaryFolder(name);
  chmodSync(folder.path, 0o1777);
  return folder;
}
