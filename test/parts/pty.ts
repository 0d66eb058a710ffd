import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './until.ts';

export type Pty = {
  /** Everything that was written to the terminal. */
  output(): string;
  /** Waits until the output since the last call of `clear` matches. */
  shows(what: RegExp): Promise<void>;
  clear(): void;
  type(keys: string): void;
  /** The process id of the command. */
  child(): number;
  resize(rows: number, columns: number): Promise<void>;
  /** Resolves with the exit status. */
  ended: Promise<number>;
};

type PtyOptions = {
  folder: string;
  command: string[];
  env: Record<string, string>;
  rows: number;
  columns: number;
};

const WAIT_MS = 60_000;

/** Runs a command in a terminal of its own, by util-linux's `script`; `stty -g` is printed before and after it. */
export function openPty({ folder, command, env, rows, columns }: PtyOptions): Pty {
  const inside = join(folder, 'in-pty');
  writeFileSync(
    inside,
    `#!/bin/sh
stty rows ${rows} cols ${columns}
echo "[tty $(tty)]"
echo "[before $(stty -g)]"
trap : INT
sh -c 'echo "[pid $$]"; exec "$@"' sh ${command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')}
status=$?
echo "[after $(stty -g)]"
exit $status
`,
    { mode: 0o755 },
  );
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', inside, '/dev/null'], {
    env: { PATH: process.env.PATH, TERM: 'xterm-256color', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let all = '';
  let from = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    all += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    all += text;
  });
  const ended = new Promise<number>((resolve) => {
    child.once('close', (code) => resolve(code ?? -1));
  });
  return {
    output: () => all,
    shows: (what) =>
      until(() => what.test(all.slice(from)), {
        timeoutMs: WAIT_MS,
        what: `the terminal to show ${what}`,
        detail: () => JSON.stringify(all.slice(from).slice(-3_000)),
      }).then(() => {}),
    clear: () => {
      from = all.length;
    },
    type: (keys) => void child.stdin.write(keys),
    child: () => Number(/\[pid (\d+)\]/.exec(all)?.[1]),
    async resize(newRows, newColumns) {
      const terminal = /\[tty (\S+)\]/.exec(all)?.[1] ?? '';
      const stty = spawn('stty', ['-F', terminal, 'rows', String(newRows), 'cols', String(newColumns)]);
      await new Promise((resolve) => stty.once('close', resolve));
    },
    ended,
  };
}
