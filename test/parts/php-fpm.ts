import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { PhpFpm } from '../provision/php-fpm.ts';
import { startProcess, tailOf } from './process.ts';
import { record } from './record.ts';
import { until } from './until.ts';

export type PhpFpmPart = { socket: string; stop(): Promise<void>; log(): string };

const START_MS = 60_000;

/** php-fpm with one pool on a socket in `folder`. Resolves when it answers. */
export async function startPhpFpm({ version, command }: PhpFpm, folder: string): Promise<PhpFpmPart> {
  const socket = join(folder, 'php.sock');
  const logFile = join(folder, 'php-fpm.log');
  const config = join(folder, 'php-fpm.conf');
  const asRoot = process.getuid?.() === 0;
  writeFileSync(
    config,
    `[global]
error_log = ${logFile}
daemonize = no
[shop]
listen = ${socket}
pm = static
pm.max_children = 2
${asRoot ? 'user = root\ngroup = root' : ''}
`,
  );
  const arguments_ = ['-y', config, '-F', ...(asRoot ? ['-R'] : [])];
  const part = startProcess({ name: 'php-fpm', command: [...command, ...arguments_], logFile });
  await until(async () => !part.running() || (await answers(socket)), {
    timeoutMs: START_MS,
    what: 'php-fpm to start',
    detail: () => tailOf(logFile),
  });
  if (!part.running()) throw new Error(`php-fpm does not start:\n${tailOf(logFile)}`);
  record(`php-fpm ${version}`);
  return { socket, stop: () => part.stop(), log: () => tailOf(logFile) };
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect({ path: socket }, () => client.destroy());
    client.on('error', () => resolve(false)).on('close', (failed) => resolve(!failed));
  });
}
