import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type ListeningSocket, listenOnSocket } from '../../../../sidecar/socket/unix-socket.ts';
import { temporaryFolder } from '../../../parts/guard.ts';

let folder: ReturnType<typeof temporaryFolder>;
let server: Server;
let listening: ListeningSocket | undefined;

beforeEach(() => {
  folder = temporaryFolder('socket');
  server = createServer();
});
afterEach(async () => {
  listening?.close();
  listening = undefined;
  await new Promise((resolve) => server.close(resolve));
  folder.remove();
});

describe('a folder of the socket that others may write to', () => {
  test('links that are placed there meanwhile do not redirect chmod, chown or rename', async () => {
    const victim = join(folder.path, 'victim');
    writeFileSync(victim, 'of the operator', { mode: 0o600 });
    const open = join(folder.path, 'open');
    mkdirSync(open);
    server.once('listening', () => exchange(open, victim));
    await listen(join(open, 'intake.sock'), String(process.getgid?.()));

    expect(readdirSync(open)).toContain('gone');
    expect(readFileSync(victim, 'utf8')).toBe('of the operator');
    expect(statSync(victim).mode & 0o777).toBe(0o600);
    expect(lstatSync(join(open, 'intake.sock')).isSocket()).toBe(true);
    expect(statSync(join(open, 'intake.sock')).mode & 0o777).toBe(0o660);
  });

  /** As whoever writes to the folder can: every name in what was just made is a link to `victim` from now on. */
  function exchange(open: string, victim: string): void {
    const made = readdirSync(open).find((name) => name.startsWith('.h')) ?? '';
    const names = readdirSync(join(open, made));
    renameSync(join(open, made), join(open, 'gone'));
    mkdirSync(join(open, 'trap'));
    for (const name of names) symlinkSync(victim, join(open, 'trap', name));
    symlinkSync(join(open, 'trap'), join(open, made));
  }
});

test('the folder of a socket has its mode, whatever the umask', async () => {
  for (const umask of [0o000, 0o077]) {
    const before = process.umask(umask);
    try {
      await listen(join(folder.path, `run-${umask}`, 'intake.sock'));
    } finally {
      process.umask(before);
    }
    expect(statSync(join(folder.path, `run-${umask}`)).mode & 0o777).toBe(0o755);
    expect(statSync(join(folder.path, `run-${umask}`, 'intake.sock')).mode & 0o777).toBe(0o660);
    listening?.close();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(path: string, group?: string): Promise<void> {
  listening = await listenOnSocket(server, {
    setting: 'intake.socket',
    path,
    mode: 0o660,
    group,
    warn: () => {},
  });
}
