import { spawn } from 'node:child_process';
import { withoutRelative } from './find-program.ts';

export type Ran = {
  /** The exit code; -1 if the program could not be started, was ended by a signal, or took too long. */
  code: number;
  stdout: string;
  stderr: string;
  /** The program does not exist. */
  missing: boolean;
};

export type RunOptions = { cwd?: string; env?: NodeJS.ProcessEnv; timeoutMs?: number };

const LONGEST_OUTPUT = 4_000_000;

/** Runs a program and returns its output. Does not throw: a failure is a code. */
export function run(command: string, args: string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, env = process.env, timeoutMs = 15 * 60_000 } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      // A program in the working directory may belong to somebody else.
      env: { ...env, PATH: withoutRelative(env.PATH), LC_ALL: 'C.UTF-8' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // Not spawn's own `timeout`: if the program is missing, its timer keeps this process alive.
    const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < LONGEST_OUTPUT) stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < LONGEST_OUTPUT) stderr += text;
    });
    child.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(late);
      resolve({ code: -1, stdout, stderr: stderr || error.message, missing: error.code === 'ENOENT' });
    });
    child.once('close', (code) => {
      clearTimeout(late);
      resolve({ code: code ?? -1, stdout, stderr, missing: false });
    });
  });
}

/** The last lines of a program's output, for an error message. */
export function tail({ stdout, stderr }: Ran, lines = 6): string {
  return `${stdout}\n${stderr}`.trim().split('\n').slice(-lines).join('\n');
}
