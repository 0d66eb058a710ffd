import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Accounts } from '../../app/wire-sidecar.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { attack, canAttack, EVERYTHING_ODD, letIn, ODD, WORKER } from '../parts/hostile-spill.ts';
import { freePort } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { until } from '../parts/until.ts';
import { lineAt, postLines } from './post-lines.ts';

jest.setTimeout(180_000);

const WAIT_MS = 60_000;
const MAX_BYTES = FULL ? 20_000_000 : 12_000_000;
/** Spilled as nginx does, in one file. */
const SPILLED = FULL ? 10_000 : 2_000;
const asRoot = canAttack ? describe : describe.skip;

asRoot('in a spill folder that belongs to an attacker', () => {
  let home: string;
  let spill: string;
  let remove: () => void;
  let sidecar: Service;
  let startedAt: number;

  beforeEach(async () => {
    startedAt = Date.now();
    ({ path: home, remove } = temporaryFolder('hostile'));
    spill = join(home, 'spill');
    mkdirSync(spill);
    letIn(spill);
    const admin = `127.0.0.1:${await freePort()}`;
    sidecar = await startService({
      args: ['sidecar'],
      env: {
        HOTITEM_HOME: home,
        HOTITEM_ADMIN_LISTEN: admin,
        HOTITEM_SPILL_MAX_BYTES: `${MAX_BYTES}`,
        HOTITEM_SHUTDOWN_SECONDS: '1',
        // Nobody: what is ingested waits in the spool.
        KAFKA_BROKERS: '127.0.0.1:9',
      },
      admin,
      logFile: join(home, 'sidecar.log'),
    });
  });
  afterEach(async () => {
    await sidecar?.kill();
    remove();
  });

  test('full as a link to a segment of the spool: no byte of it is changed', async () => {
    await postLines(join(home, 'run/intake.sock'), lines(2_000));
    const [segment = ''] = readdirSync(join(home, 'spool')).filter((name) => name.endsWith('.log'));
    const before = readFileSync(join(home, 'spool', segment));
    attack(
      spill,
      `ln -s ../spool/${segment} full; head -c ${2 * MAX_BYTES} /dev/zero | tr '\\0' '\\n' > 1.tsv`,
    );
    await untilMetric('hotitem_spill_full', 1);

    expect(readFileSync(join(home, 'spool', segment)).equals(before)).toBe(true);
    expect(await accounts()).toMatchObject({ accepted: 2_000, waiting: 2_000, lost: 0 });
  });

  test('full as a pipe: spills are ingested, and SIGTERM ends the process', async () => {
    attack(spill, `mkfifo full; head -c ${2 * MAX_BYTES} /dev/zero | tr '\\0' '\\n' > 1.tsv`);
    await untilMetric('hotitem_spill_full', 1);
    spillLines(1_000);
    await untilAccepted(1_000);

    await sidecar.stop();
  });

  // Among all odd files at once, below, is one.
  (FULL ? test : test.skip)(
    'a sparse file of 1 TB is set aside: spills are ingested, and nginx is not told that the folder is full',
    async () => {
      attack(spill, 'truncate -s 1T 0.tsv');
      spillLines(SPILLED);
      await untilAccepted(SPILLED);

      expect(await sidecar.metric('hotitem_spill_odd')).toBe(1);
      expect(await sidecar.metric('hotitem_spill_full')).toBe(0);
      expect(await sidecar.metric('hotitem_spill_waiting_bytes')).toBe(0);
    },
  );

  test('all odd files at once: spills are ingested meanwhile, and odd files are counted and logged once', async () => {
    spillLines(1);
    attack(spill, EVERYTHING_ODD);
    attack(spill, "head -c 3000000 /dev/zero | tr '\\0' x > 2.tsv");
    spillLines(SPILLED);
    await untilAccepted(SPILLED + 1);
    for (const [reason, count] of Object.entries(ODD))
      await untilMetric(`hotitem_spill_odd{reason="${reason}"}`, count);

    expect(await accounts()).toMatchObject({ accepted: SPILLED + 1, lost: 0, unaccounted: 0 });
    expect(await sidecar.metric('hotitem_spill_full')).toBe(0);
    const said = sidecar.log().match(/the spill folder contains entries that nginx did not write/g) ?? [];
    expect(said.length).toBeGreaterThan(0);
    // However many there are: once a minute.
    expect(said.length).toBeLessThanOrEqual(Math.ceil((Date.now() - startedAt) / 60_000));
    expect(sidecar.log()).not.toContain('\u001b');
    await sidecar.stop();
  });

  test('a shutdown ends the process, although one of its files hangs', async () => {
    execFileSync('mkfifo', [join(home, 'rejected.log')]);
    await postLines(join(home, 'run/intake.sock'), ['no line', ...lines(1)]);
    await untilAccepted(1);

    await sidecar.stop();
    expect(lstatSync(join(home, 'rejected.log')).isFIFO()).toBe(true);
  });

  /** As nginx does. */
  function spillLines(count: number): void {
    const path = join(spill, `${new Date().toISOString().slice(0, 16)}.tsv`);
    const isNew = !existsSync(path);
    appendFileSync(path, `${lines(count).join('\n')}\n`);
    if (isNew) chownSync(path, WORKER, WORKER);
  }

  async function accounts(): Promise<Accounts['sidecar']> {
    return (await sidecar.json<Accounts>('/api/v1/accounting')).sidecar;
  }

  function untilAccepted(count: number): Promise<boolean> {
    return until(async () => (await accounts())?.accepted === count, {
      timeoutMs: WAIT_MS,
      what: `${count} accepted events`,
      detail: async () => `${JSON.stringify(await accounts())}\n${sidecar.log()}`,
    });
  }

  function untilMetric(name: string, value: number): Promise<boolean> {
    return until(async () => (await sidecar.metric(name)) === value, {
      timeoutMs: WAIT_MS,
      what: `${name} ${value}`,
      detail: () => sidecar.log(),
    });
  }
});

function lines(count: number): string[] {
  return Array.from({ length: count }, () => lineAt(Date.now()));
}
