import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianTree } from '../../provision/debian.ts';
import type { NginxBuild } from '../../provision/nginx.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { NginxPart } from '../parts/nginx.ts';
import { report } from '../parts/report.ts';

/** A clock for the processes that are started with it. The host's clock is not changed. */
export type FakeClock = {
  /** Variables for the environment of a process. */
  env: Record<string, string>;
  /** An nginx that is started with it. */
  build(build: NginxBuild): NginxBuild;
  /** Configuration for its workers, which get only the variables that the configuration names. */
  reachWorkers(nginx: NginxPart, conf: string): Promise<void>;
  /** Sets the clock a number of seconds ahead of the host's, or behind if negative. Monotonic clocks are not affected. */
  step(seconds: number): void;
  remove(): void;
};

/**
 * libfaketime, which replaces the kernel's time of day for a process. The build of bookworm, which runs with its own libc and every
 * newer one.
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
    // A step does not change file times.
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
    // Atomic, because it can be read at any moment.
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
