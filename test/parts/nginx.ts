import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NginxBuild } from '../../provision/nginx.ts';
import { type Ran, run } from '../../service/run.ts';
import { isAlive, type PartProcess, pidsIn, startProcess, tailOf } from './process.ts';
import { record } from './record.ts';
import { until } from './until.ts';

export type NginxOptions = {
  build: NginxBuild;
  /** The folder that relative paths in the configuration start at; it contains the log of the start. */
  prefix: string;
  /** The path of a complete nginx.conf. It has no `daemon`. */
  config: string;
  /** The configuration's `error_log`. Default: `error.log` in `prefix`. */
  errorLog?: string;
};

export type NginxPart = {
  /** For the closing table: `nginx 1.26.3, njs 0.8.9`. */
  describe: string;
  /** The master's process id. */
  pid(): number;
  /** The output of `nginx -t`. */
  test(): Promise<{ ok: boolean; output: string }>;
  /** Reloads. Resolves when the old workers have exited. Throws if the configuration is invalid. */
  reload(): Promise<void>;
  start(): Promise<void>;
  /**
   * USR2 and then QUIT, as Debian's package upgrades nginx. Resolves when the old one has exited; `during` is called while both
   * run. Needs a build of `upgradableNginx`.
   */
  upgrade(during?: () => Promise<void>): Promise<void>;
  /** Stops it after the requests in flight. */
  quit(): Promise<void>;
  /** Stops it at once. */
  stop(): Promise<void>;
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** The process ids of the workers that accept requests. */
  workers(): Promise<number[]>;
  errorLog(): Promise<string>;
  /** Stops it; the prefix is kept. */
  close(): Promise<void>;
};

const UPGRADABLE = 'nginx-by-a-name-with-room-for-worker-process-is-shutting-down';
const START_MS = 60_000;
const RELOAD_MS = 60_000;

/** Starts nginx with a configuration, and resolves when it listens. Throws nginx's message if it does not start. */
export async function startNginx(options: NginxOptions): Promise<NginxPart> {
  const { build, prefix, config, errorLog = join(prefix, 'error.log') } = options;
  const describe = `nginx ${build.version}, njs ${build.njs}${build.quickjs ? ' (QuickJS built in)' : ''}`;
  const arguments_ = ['-p', prefix, '-c', config, '-e', errorLog];
  /** The master, if it is not the process that was started: see upgradableNginx. */
  let orphan: number | undefined;
  let master = await launch();
  record(describe);

  return {
    describe,
    pid,
    test: () => testConfiguration(options),
    reload,
    async start() {
      if (!master.running()) master = await launch();
    },
    upgrade,
    quit: () => master.stop('SIGQUIT'),
    stop: () => master.stop(),
    kill: () => master.kill(),
    pause: () => master.pause(),
    resume: () => master.resume(),
    workers: async () => (await childrenOf(pid())).filter(takesRequests).map(({ pid }) => pid),
    errorLog: () => readFile(errorLog, 'utf8').catch(() => ''),
    close: () => master.kill(),
  };

  function pid(): number {
    return orphan ?? master.pid;
  }

  async function launch(): Promise<PartProcess> {
    orphan = undefined;
    const started = startProcess({
      name: 'nginx',
      command: [...build.command, ...arguments_, '-g', 'daemon off;'],
      logFile: errorLog,
      heir: () => orphan ?? (isUpgradable(build) ? orphanOf(started.pid) : undefined),
    });
    // nginx listens before it forks.
    const working = async () => {
      if (!started.running()) return true;
      if (isUpgradable(build)) orphan = orphanOf(started.pid);
      if (isUpgradable(build) && isAlive(started.pid)) return false;
      return (await childrenOf(orphan ?? started.pid)).some(takesRequests);
    };
    await until(working, { timeoutMs: START_MS, what: 'nginx to start', detail: () => tailOf(errorLog) });
    if (!started.running()) throw new Error(`nginx does not start:\n${tailOf(errorLog)}`);
    return started;
  }

  async function reload(): Promise<void> {
    const { ok, output } = await testConfiguration(options);
    if (!ok) throw new Error(`nginx would not reload:\n${output}`);
    const before = new Set((await childrenOf(pid())).map(({ pid }) => pid));
    process.kill(pid(), 'SIGHUP');
    const renewed = async () => {
      const now = await childrenOf(pid());
      return now.some(takesRequests) && !now.some(({ pid }) => before.has(pid));
    };
    await until(renewed, {
      timeoutMs: RELOAD_MS,
      what: 'the old workers to leave',
      detail: () => tailOf(errorLog),
    });
  }

  async function upgrade(during?: () => Promise<void>): Promise<void> {
    const old = pid();
    const detail = () => tailOf(errorLog);
    process.kill(old, 'SIGUSR2');
    const working = async () => {
      const next = (await childrenOf(old)).find(({ title }) => title.includes('master process'));
      return next !== undefined && (await childrenOf(next.pid)).some(takesRequests) ? next.pid : undefined;
    };
    orphan = await until(working, { timeoutMs: START_MS, what: 'the new nginx to start', detail });
    await during?.();
    process.kill(old, 'SIGQUIT');
    await until(() => !isAlive(old), { timeoutMs: RELOAD_MS, what: 'the old nginx to end', detail });
  }
}

/**
 * The same nginx as a single file in `folder`, which an upgrade can start by its name alone. The name is long, because nginx writes its
 * process titles over it. A starter process exits first, because nginx ignores USR2 while the process that started it lives.
 */
export function upgradableNginx(build: NginxBuild, folder: string): NginxBuild {
  const path = join(folder, UPGRADABLE);
  const [loader, ...rest] = build.command;
  const words = [loader, '--argv0', '"$0"', ...rest].join(' ');
  const script = [
    '#!/bin/sh',
    'if [ -z "$NGINX$ORPHAN" ] && echo "$*" | grep -q daemon; then',
    '  ORPHAN=1 "$0" "$@" &',
    // By then it has checked its parent, or has failed.
    '  while kill -0 $! && ! grep -q "master process" /proc/$!/cmdline; do sleep 0.01; done',
    '  exit',
    'fi',
    `exec ${words} "$@"`,
  ];
  writeFileSync(path, `${script.join('\n')}\n`, { mode: 0o755 });
  return { ...build, command: [path] };
}

function isUpgradable({ command }: NginxBuild): boolean {
  return command[0]?.endsWith(UPGRADABLE) === true;
}

/** `nginx -t`, without starting it. */
export async function testConfiguration(
  options: Pick<NginxOptions, 'build' | 'prefix' | 'config'>,
): Promise<{ ok: boolean; output: string }> {
  const [program = '', ...first] = options.build.command;
  const { prefix, config } = options;
  const ran: Ran = await run(program, [...first, '-t', '-p', prefix, '-c', config, '-e', 'stderr']);
  return { ok: ran.code === 0, output: ran.stderr };
}

type Child = { pid: number; title: string };

async function childrenOf(pid: number): Promise<Child[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const pids = list.trim().split(' ').filter(Boolean).map(Number);
  return Promise.all(
    pids.map(async (child) => ({
      pid: child,
      title: await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => ''),
    })),
  );
}

/** The master in a process group, except the process that was started. That one briefly has helpers, one of which has half of that title. */
function orphanOf(started: number): number | undefined {
  return pidsIn(started).find((pid) => pid !== started && titleOf(pid).includes('nginx: master process'));
}

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function takesRequests({ title }: Child): boolean {
  return title.includes('worker process') && !title.includes('shutting down');
}
