import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Trouble } from '../service/trouble.ts';
import type { Shop } from './shop.ts';

export type NginxProcess = {
  /** Stops nginx after the requests in flight, or kills it when they take too long. */
  quit(): Promise<void>;
};

export type NginxProcessOptions = {
  /** Program and leading arguments. */
  command: string[];
  shop: Shop;
  folder: string;
};

/** Makes the kernel stop nginx when this process is killed; needs util-linux. */
const ENDS_WITH_US = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'TERM'] : [];
const START_MS = 10_000;
const QUIT_MS = 3_000;

/**
 * Runs nginx in the foreground as a child in its own process group: Ctrl-C at the terminal reaches only us, and we stop nginx first.
 * Throws `Trouble` with the last lines of its error log if it does not start.
 */
export async function startNginxProcess({
  command,
  shop,
  folder,
}: NginxProcessOptions): Promise<NginxProcess> {
  const [program = 'nginx', ...leading] = [...ENDS_WITH_US, ...command];
  const args = [...leading, '-p', folder, '-c', shop.conf, '-e', shop.errorLog, '-g', 'daemon off;'];
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  const output = collect(child);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const killed = () => signal('SIGKILL');
  process.once('exit', killed);
  await untilUp();
  return { quit };

  async function untilUp(): Promise<void> {
    const end = Date.now() + START_MS;
    while (Date.now() < end) {
      if (child.exitCode !== null || child.pid === undefined) break;
      const pid = await readFile(shop.pidFile, 'utf8').catch(() => '');
      if (pid.trim() === String(child.pid)) return;
      await Promise.race([sleep(20), exited]);
    }
    await quit();
    const log = await readFile(shop.errorLog, 'utf8').catch(() => '');
    const reason = (output() || log).trim().split('\n').slice(-3).join('\n  ');
    throw new Trouble(`nginx does not start:\n  ${reason}`, `Its log: ${shop.errorLog}`);
  }

  async function quit(): Promise<void> {
    for (const name of ['SIGQUIT', 'SIGTERM', 'SIGKILL'] as const) {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) break;
      signal(name);
      await Promise.race([exited, sleep(QUIT_MS)]);
    }
    process.off('exit', killed);
  }

  function signal(name: NodeJS.Signals): void {
    if (child.pid === undefined) return;
    try {
      // The master passes other signals on, but SIGKILL must be sent to the workers too.
      process.kill(name === 'SIGKILL' ? -child.pid : child.pid, name);
    } catch {
      // Already exited.
    }
  }
}

function collect(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString('utf8')).slice(-4096);
  });
  return () => text;
}
