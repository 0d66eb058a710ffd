import { chmodSync } from 'node:fs';
import { run } from '../../service/run.ts';
import { temporaryFolder } from './guard.ts';

/** A user of this host that owns nothing, as an attacker on the host. */
export const ANOTHER_USER = 65_534;
/** Only root can switch users. */
export const CAN_BE_ANOTHER = process.getuid?.() === 0;

/** The prefix of a command that another user runs. */
export function asUser(uid: number = ANOTHER_USER): string[] {
  return ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
}

/** The command run as another user, or as the current one if that is not possible. */
export function asAnother(command: string[]): string[] {
  return CAN_BE_ANOTHER ? [...asUser(), '--', ...command] : command;
}

/** Runs a Node script (the text of an ES module that prints only JSON) as another user. */
export function askAsAnother<T>(script: string, args: string[]): Promise<T> {
  return answerOf(asAnother(nodeOf(script, args)));
}

/** The same as the current user. */
export function askAsOwner<T>(script: string, args: string[]): Promise<T> {
  return answerOf(nodeOf(script, args));
}

function nodeOf(script: string, args: string[]): string[] {
  return [process.execPath, '--input-type=module', '--eval', script, ...args];
}

async function answerOf<T>([program = '', ...rest]: string[]): Promise<T> {
  const { code, stdout, stderr } = await run(program, rest, { env: { PATH: process.env.PATH } });
  if (code !== 0) throw new Error(`the script ended with ${code}: ${stderr}`);
  return JSON.parse(stdout) as T;
}

/** Runs a shell line as another user. Throws if it fails, because then the attack did not happen. */
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
