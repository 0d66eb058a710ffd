import { type Ran, run } from '../../provision/run.ts';

/** Workers of nginx, say: neither root nor the user of the tests, and in no group but their own. */
export const ANOTHER = { uid: 65534, gid: 65534 };

/** Only root can run a program as somebody else. */
export const CAN_BE_ANOTHER = process.getuid?.() === 0;

/** What runs `command` as `ANOTHER`; as oneself where that is not possible. */
export function asAnother(command: string[]): string[] {
  if (!CAN_BE_ANOTHER) return command;
  return ['setpriv', `--reuid=${ANOTHER.uid}`, `--regid=${ANOTHER.gid}`, '--clear-groups', '--', ...command];
}

/** Runs a script of Node (its text, as an ES module) as `ANOTHER`, which prints JSON and nothing else. */
export async function askAsAnother<T>(script: string, args: string[]): Promise<T> {
  const [program = '', ...rest] = asAnother([
    process.execPath,
    '--input-type=module',
    '--eval',
    script,
    ...args,
  ]);
  const ran: Ran = await run(program, rest, { env: { PATH: process.env.PATH } });
  if (ran.code !== 0) throw new Error(`the script ended with ${ran.code}: ${ran.stderr}`);
  return JSON.parse(ran.stdout) as T;
}
