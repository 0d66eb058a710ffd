import { join } from 'node:path';
import { type Ran, type RunOptions, run } from '../../service/run.ts';

export const PROGRAM: string = join(import.meta.dirname, '../../dist/hotitem.mjs');

/** What every command says first. */
const CONFIGURATION = /^hotitem: (?:no )?configuration .*\n/;

/**
 * Runs `hotitem …` as it is shipped to its end, with nothing of the test's own environment but the path. Of standard error the
 * line is left out that says which configuration was read. `as` begins the command of another user.
 */
export async function runHotitem(
  args: string[],
  env: Record<string, string>,
  options: Omit<RunOptions, 'env'> = {},
  as: string[] = [],
): Promise<Ran> {
  const [program = '', ...rest] = [...as, process.execPath, PROGRAM, ...args];
  const ran = await run(program, rest, {
    ...options,
    env: { PATH: process.env.PATH, ...env },
  });
  return { ...ran, stderr: ran.stderr.replace(CONFIGURATION, '') };
}

/** The same with `--json`: what it prints, and its exit status. Throws where it prints no JSON. */
export async function askHotitem<T>(
  args: string[],
  env: Record<string, string>,
): Promise<{ status: number; answer: T }> {
  const { code, stdout, stderr } = await runHotitem([...args, '--json'], env);
  try {
    return { status: code, answer: JSON.parse(stdout) as T };
  } catch {
    throw new Error(`hotitem ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
  }
}
