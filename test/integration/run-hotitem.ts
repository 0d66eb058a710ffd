import { join } from 'node:path';
import { type Ran, run } from '../../provision/run.ts';

export const PROGRAM: string = join(import.meta.dirname, '../../dist/hotitem.mjs');

/** Runs `hotitem …` as it is shipped to its end, with nothing of the test's own environment but the path. */
export function runHotitem(args: string[], env: Record<string, string>): Promise<Ran> {
  return run(process.execPath, [PROGRAM, ...args], { env: { PATH: process.env.PATH, ...env } });
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
