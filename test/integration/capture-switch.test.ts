import { readdirSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { askControl } from '../../cli/ask-control.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import { type FakeClock, obtainClock } from '../faults/fake-clock.ts';
import { firstOf } from '../parts/full.ts';
import { views } from '../parts/load.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type Chain, startChain } from './chain.ts';

import { runHotitem } from './run-hotitem.ts';

jest.setTimeout(180_000);

const LEARN_MS = 60_000;
/** The lease, and the second in which nginx looks. */
const LEASE_MS = 20_000;

const EVERYWHERE = [
  { suite: 'trixie', engine: 'njs' },
  { suite: 'sid', engine: 'njs' },
  { suite: 'sid', engine: 'qjs' },
] as const;

suiteWith(['nginx'])('hotitem capture', () => {
  describe.each(firstOf(1, EVERYWHERE))('on nginx of $suite with $engine', captureOn);
});

function captureOn({ suite, engine }: (typeof EVERYWHERE)[number]): void {
  let chain: Chain;
  let clock: FakeClock;
  /** How many views nginx has captured, where none was asked for since. */
  let known: number | undefined;
  beforeAll(async () => {
    clock = await obtainClock();
    chain = await startChain({
      build: clock.build(await obtainNginx({ suite, report })),
      engine,
      transport: 'subrequest',
    });
    await clock.reachWorkers(chain.nginx, join(chain.home, 'nginx/nginx.conf'));
  });
  afterAll(async () => {
    await chain?.close();
    clock?.remove();
  });

  test('says that no mode has been set yet', async () => {
    expect(await capture('status')).toEqual({ code: 0, output: 'capture: as nginx is configured\n' });
    expect(await see(10)).toBe(10);
  });

  test('off stops capture without a reload, and pages are served', async () => {
    expect(await capture('off')).toEqual({ code: 0, output: 'capture: off\n' });
    await until(async () => (await see(5)) === 0, { timeoutMs: LEARN_MS, what: 'capture to be off' });
    expect(await chain.sidecar.metric('hotitem_capture_one_in')).toBe(0);
  });

  test('sample N captures one in N', async () => {
    expect(await capture('sample', '4')).toEqual({ code: 0, output: 'capture: 1 in 4\n' });
    await until(async () => (await see(40)) > 0, { timeoutMs: LEARN_MS, what: 'capture to sample' });

    // Eight standard deviations of the binomial around 250.
    expect(Math.abs((await see(1_000)) - 250)).toBeLessThan(110);
    expect(await chain.sidecar.metric('hotitem_capture_one_in')).toBe(4);
  });

  test('keeps the mode while the sidecar is unavailable, and each line has the weight N', async () => {
    await chain.sidecar.stop();
    // A sidecar that was busy has had views spilled before.
    const before = (await spilled()).length;
    await page(200);
    const lines = await until(async () => nonEmpty((await spilled()).slice(before)), {
      timeoutMs: LEARN_MS,
      what: 'spilled lines',
    });
    expect(new Set(lines.map((line) => line.split('\t')[0]))).toEqual(new Set(['2/4']));

    await chain.sidecar.start();
    expect(await capture('status')).toEqual({ code: 0, output: 'capture: 1 in 4\n' });
    expect((await hotitem('status')).output).toMatch(/capture +1 in 4/);
  });

  const rejected = [
    [['sample', '1']],
    [['on', 'off']],
    [['half']],
    [['sample']],
    [['sample', '10001']],
    [[]],
  ];
  test.each(firstOf(2, rejected))('rejects %j', async (words) => {
    const { code, output } = await capture(...words);

    expect(code).toBe(2);
    expect(output).toContain('capture: must be on, off, sample N');
  });

  test('on captures every view again', async () => {
    expect(await capture('on')).toEqual({ code: 0, output: 'capture: on\n' });
    await until(async () => (await see(20)) === 20, { timeoutMs: LEARN_MS, what: 'capture to be on' });
  });

  test('returns to the configured mode if the sidecar has lost the mode', async () => {
    await switchTo('off');
    await until(async () => (await see(5)) === 0, { timeoutMs: LEARN_MS, what: 'capture to be off' });
    await chain.sidecar.stop();
    rmSync(join(chain.home, 'capture.json'));
    await chain.sidecar.start();
    await until(async () => (await see(5)) === 5, { timeoutMs: LEARN_MS, what: 'capture to be on' });
    await switchTo('on');
  });

  test('returns to the configured mode if the clock of nginx is set back and the sidecar is gone', async () => {
    await switchTo('off');
    await until(async () => (await see(5)) === 0, { timeoutMs: LEARN_MS, what: 'capture to be off' });
    await chain.sidecar.kill();
    expect(await growth()).toBe(0);
    clock.step(-3_600);
    await until(async () => (await growth()) > 0, {
      timeoutMs: LEARN_MS,
      everyMs: 100,
      what: 'nginx to fall back',
      detail: () => chain.logs(),
    });

    clock.step(0);
    await chain.sidecar.start();
    await switchTo('on');
  });

  test('returns to the configured mode if the sidecar is gone, without lines in the error log', async () => {
    const conf = join(chain.home, 'nginx/nginx.conf');
    const text = await readFile(conf, 'utf8');
    const include = `include "${join(chain.home, 'nginx/hotitem/http.conf')}";\n`;
    expect(text).toContain(include);
    await writeFile(conf, text.replace(include, `${include}map "" $hotitem_mode_default { default off; }\n`));
    await chain.nginx.reload();
    await until(async () => (await see(20)) === 20, { timeoutMs: LEARN_MS, what: 'capture to be on' });
    const before = (await chain.nginx.errorLog()).split('\n').length;
    await chain.sidecar.kill();

    // A view is spilled after its page is sent.
    await until(async () => (await growth()) > 0, { timeoutMs: LEASE_MS, what: 'a view to be spilled' });
    await until(async () => (await growth()) === 0, {
      timeoutMs: 3 * LEASE_MS,
      everyMs: 100,
      what: 'nginx to fall back',
      detail: () => chain.logs(),
    });
    // Longer than ten seconds of an outage.
    expect((await chain.nginx.errorLog()).split('\n').length - before).toBeLessThan(10);
  });

  test('says that the sidecar does not answer', async () => {
    const { code, output } = await capture('status');

    expect(code).toBe(1);
    expect(output).toContain('nothing answers at');
  });

  test('off fails where nginx, without http-batch.conf, goes on', async () => {
    const conf = join(chain.home, 'nginx/nginx.conf');
    const text = await readFile(conf, 'utf8');
    await writeFile(conf, text.replace(/^.*(?:http-batch\.conf|\$hotitem_mode_default).*\n/gm, ''));
    await chain.nginx.reload();
    await chain.sidecar.start();
    expect(await capture('off')).toEqual({
      code: 1,
      output: expect.stringMatching(
        /^capture: off\nbut no nginx has reported .* Use off\.conf and reload\n$/,
      ),
    });
    const ingested = () => chain.sidecar.metric('hotitem_intake_lines_total{from="intake"}');
    await until(async () => (await page(1)) && (await ingested()) > 0, {
      timeoutMs: LEARN_MS,
      what: 'a view that is captured all the same',
      detail: chain.logs,
    });
    await until(async () => (await chain.accounts()).sidecar?.waiting === 0, {
      timeoutMs: LEARN_MS,
      what: 'its delivery',
      detail: chain.logs,
    });
    const isSaid = async () => {
      const status = await hotitem('status');
      return status.output.includes('; delivers; ') ? status : undefined;
    };
    expect(
      await until(isSaid, { timeoutMs: LEARN_MS, what: 'the sidecar to deliver', detail: chain.logs }),
    ).toEqual({
      code: 1,
      output: expect.stringMatching(
        /^captures: .*; delivers; nothing lost behind nginx, which does not report\n(.*\n)*.*\[capture-not-followed\]/,
      ),
    });
  });

  /** Asks for that many pages; returns how many of these views nginx then says it captured. */
  async function see(count: number): Promise<number> {
    const before = known ?? (await captured());
    await page(count);
    known = await captured();
    return known - before;
  }

  function page(count: number) {
    known = undefined;
    return views({
      port: chain.port,
      paths: Array.from({ length: count }, (_, i) => `/web/item/${(i % 300) + 1}.html`),
    });
  }

  /** By a report that nginx made after this was called: the first that arrives may have been made before. */
  async function captured(): Promise<number> {
    const { reportedAt } = await reported(Date.now());
    return (await reported(reportedAt)).captured;
  }

  function reported(since: number): Promise<{ reportedAt: number; captured: number }> {
    const isLater = async () => {
      const { nginx } = await chain.accounts();
      const accounts = nginx?.accounts;
      return accounts !== undefined && accounts.reportedAt > since ? accounts : undefined;
    };
    return until(isLater, {
      timeoutMs: LEARN_MS,
      what: 'a report of nginx',
      everyMs: 100,
      detail: chain.logs,
    });
  }

  /** Asks for a few pages; returns how many of these views are spilled. */
  async function growth(): Promise<number> {
    const lines = (await spilled()).length;
    await page(5);
    return (await spilled()).length - lines;
  }

  async function spilled(): Promise<string[]> {
    const folder = join(chain.home, 'spill');
    const names = readdirSync(folder)
      .filter((name) => name.endsWith('.tsv'))
      .sort();
    const files = await Promise.all(names.map((name) => readFile(join(folder, name), 'latin1')));
    return files.join('').split('\n').slice(0, -1);
  }

  /** As the command does, where what it says is not the question. */
  async function switchTo(mode: 'on' | 'off'): Promise<void> {
    const { status } = await askControl(join(chain.home, 'run/control.sock'), '/v1/control', {
      body: { mode },
    });
    expect(status).toBe(200);
  }

  function capture(...words: string[]) {
    return hotitem('capture', ...words);
  }

  async function hotitem(...args: string[]): Promise<{ code: number | null; output: string }> {
    const env = { HOTITEM_HOME: chain.home, HOTITEM_ADMIN_LISTEN: chain.sidecar.admin };
    const { code, stdout, stderr } = await runHotitem(args, env);
    return { code, output: stdout + stderr };
  }
}

function nonEmpty<T>(list: T[]): T[] | undefined {
  return list.length > 0 ? list : undefined;
}
