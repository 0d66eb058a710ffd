import { lstat, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../../service/error-code.ts';
import { reasonOf } from '../../service/log.ts';
import { Trouble } from '../../service/trouble.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { parseCount } from '../parse-count.ts';
import { showWait } from '../progress.ts';
import { print } from '../terminal.ts';

const DEFAULT_SECONDS = 10;
const LONGEST_SECONDS = 300;
const LOOK_MS = 50;

/**
 * Requested by a file in the spill folder, not through the sidecar: it works while the sidecar is stopped, and a shell can do the same
 * where hotitem is not installed.
 */
export const nginxDrain: Command = {
  about: 'empties the shared memory of capture-batch.conf, before a fast stop of nginx',
  options: {
    timeout: {
      type: 'string',
      placeholder: 'SECONDS',
      about: `how long to wait for nginx (${DEFAULT_SECONDS})`,
    },
  },
  configured: true,
  async run(context) {
    const { timeout = DEFAULT_SECONDS, ...flags } = context.flags;
    const seconds = parseCount('timeout', String(timeout), { least: 1, most: LONGEST_SECONDS });
    const { spill } = configure({ ...context, flags });
    await showWait('waiting for nginx', drain(join(spill.dir, 'drain'), seconds), {
      atMostMs: seconds * 1_000,
    });
    print('nginx: nothing waits in the zone; for 30 s views bypass it\n');
    return 0;
  },
};

async function drain(marker: string, seconds: number): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  await put(marker);
  while (performance.now() < end) {
    if (!(await exists(marker))) return;
    await sleep(LOOK_MS);
  }
  // A process of the workers' user may have created a folder there.
  await rm(marker, { force: true }).catch(() => {});
  throw new Trouble(
    `nginx did not empty its zone within ${seconds} s`,
    `Is nginx running, with http-batch.conf of this version, and can its workers write to the folder of ${marker}? If views wait because sidecar and spill folder accept none, hotitem status shows it.`,
  );
}

/** A drain that somebody else requested also counts. */
async function put(marker: string): Promise<void> {
  try {
    await writeFile(marker, '', { flag: 'wx' });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    throw new Trouble(
      `${marker} cannot be written: ${reasonOf(error)}`,
      'spill.dir must be the folder that nginx spills to. Run this as root or as the user of the sidecar.',
    );
  }
}

function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
