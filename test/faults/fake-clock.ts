import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianTree } from '../../provision/debian.ts';
import type { NginxBuild } from '../../provision/nginx.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { NginxPart } from '../parts/nginx.ts';
import { report } from '../parts/report.ts';

/** The clock of the processes that are started with it. The machine's own is left alone. */
export type FakeClock = {
  /** For the environment of a process. */
  env: Record<string, string>;
  /** nginx, started with it. */
  build(build: NginxBuild): NginxBuild;
  /** Its workers as well, which see nothing of the environment but what the configuration names. */
  reachWorkers(nginx: NginxPart, conf: string): Promise<void>;
  /** So many seconds ahead of the machine from now on; below zero, behind. What counts time evenly goes on as it did. */
  step(seconds: number): void;
  remove(): void;
};

/**
 * libfaketime, which answers in the kernel's place when a process asks for the time of day. The build of bookworm: it
 * runs with its own libc and with every newer one.
 */
export async function obtainClock(): Promise<FakeClock> {
  const tree = await debianTree({
    suite: 'bookworm',
    packages: ['libfaketime'],
    name: 'libfaketime-bookworm',
    what: 'libfaketime',
    report,
  });
  const { path: folder, remove } = temporaryFolder('clock');
  const file = join(folder, 'offset');
  step(0);
  const env = {
    LD_PRELOAD: libraryIn(tree),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    // A step changes no file's time.
    NO_FAKE_STAT: '1',
  };
  return {
    env,
    build: (build) => ({ ...build, command: ['/usr/bin/env', ...assignments(env), ...build.command] }),
    reachWorkers,
    step,
    remove,
  };

  async function reachWorkers(nginx: NginxPart, conf: string): Promise<void> {
    const lines = Object.keys(env).map((name) => `env ${name};\n`);
    await writeFile(conf, `${lines.join('')}${await readFile(conf, 'utf8')}`);
    await nginx.reload();
  }

  function step(seconds: number): void {
    // Whole or not at all: it is read at any moment.
    writeFileSync(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}\n`, { mode: 0o644 });
    renameSync(`${file}.new`, file);
  }
}

function libraryIn(tree: string): string {
  const libraries = join(tree, 'usr/lib');
  const found = readdirSync(libraries)
    .map((name) => join(libraries, name, 'faketime/libfaketimeMT.so.1'))
    .find((path) => existsSync(path));
  if (found === undefined) throw new Error(`no libfaketime below ${libraries}`);
  return found;
}

function assignments(env: Record<string, string>): string[] {
  return Object.entries(env).map(([name, value]) => `${name}=${value}`);
}
