import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Accounts } from '../../app/wire-sidecar.ts';
import { commandHot } from '../../cli/hot/ask-hot.ts';
import type { Report } from '../../report/report.ts';
import type { ItemAnswer } from '../../sidecar/routes/answers.ts';
import { firstOf } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { freePort } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { until } from '../parts/until.ts';
import { addressOf, lineOf, postLines } from './post-lines.ts';
import { runHotitem } from './run-hotitem.ts';

jest.setTimeout(180_000);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe('hotitem report', () => {
  const home = temporaryFolder('report');
  const file = (name: string) => join(home.path, name);
  const end = Date.now();
  // Not long ago: the rules are tried with each tenth of a second since then.
  const begin = Math.floor((end - 30 * MINUTE) / MINUTE) * MINUTE;
  const iso = (time: number) => new Date(time).toISOString();
  // It begins with the whole interval: otherwise the peak depends on the second in which a report is made.
  const sale = ['--from', iso(begin + 1_234), '--to', iso(end + HOUR)];
  let env: Record<string, string>;
  let sidecar: Service;

  beforeAll(async () => {
    const admin = `127.0.0.1:${await freePort()}`;
    writeFileSync(file('catalogue.csv'), 'id,name,category\n4711,Kettle,Kitchen\n4712,Mug,Kitchen\n');
    env = {
      HOTITEM_HOME: home.path,
      HOTITEM_ADMIN_LISTEN: admin,
      HOTITEM_CATALOGUE_FILE: file('catalogue.csv'),
    };
    sidecar = await startService({ args: ['sidecar'], env, admin, logFile: file('sidecar.log') });
    await commandHot(file('run/control.sock'), {
      do: 'pin',
      item: '4711',
      reason: 'TV | <b>spot</b>',
      by: 'a test',
    });
    await postLines(file('run/intake.sock'), [
      ...Array.from({ length: 30 }, (_, i) => seen('4712', i, begin + i)),
      ...Array.from({ length: 30 }, (_, i) => seen('4713', i, begin + i)),
      ...Array.from({ length: 9 }, (_, i) => seen('4713', i, begin - HOUR + i)),
      // A minute of a view each tenth of a second by 60 people. Last: with them, all are in the index.
      ...Array.from({ length: 600 }, (_, i) => seen('4711', i % 60, end - 15 * MINUTE + i * 100)),
    ]);
    const answer = () => sidecar.json<ItemAnswer>(`/api/v1/item?item=4711&window=24h`);
    // The spool counts an event as waiting until a moment after that.
    const waiting = async () => (await sidecar.json<Accounts>('/api/v1/accounting')).sidecar?.waiting;
    const isIndexed = async () =>
      (await answer()).periods.length > 0 && (await answer()).views?.views === 600 && (await waiting()) === 0;
    await until(isIndexed, {
      timeoutMs: 60_000,
      what: 'views and pin in the index',
      detail: sidecar.log,
    });
  });
  afterAll(async () => {
    await sidecar?.stop();
    home.remove();
  });

  test('says what the index, the services and the spool know, from the index of a sidecar that runs', async () => {
    const report = await reportOf([...sale, '--time-zone', 'Europe/Berlin']);

    expect(report).toMatchObject({
      version: 1,
      index: 'DuckDB',
      timeZone: 'Europe/Berlin',
      range: { from: begin, isRunning: true },
      notes: [],
      totals: { people: 660, all: 660, visitors: 60, items: 3, first: begin },
      items: [
        { item: '4711', name: 'Kettle', category: 'Kitchen', people: 600, visitors: 60 },
        { item: '4712', name: 'Mug', people: 30 },
        { item: '4713', people: 30 },
      ],
      categories: [
        { category: 'Kitchen', people: 630, visitors: 60 },
        { category: '', people: 30 },
      ],
      held: { list: [], more: 0 },
      saved: {
        atMost: expect.any(Number),
        refreshMs: 5_000,
        counted: { unknown: expect.stringContaining('log-shared.conf') },
      },
      accounting: {
        waiting: { events: 0 },
        dead: { events: 0, reasons: [] },
        lost: { list: [], earlier: 0, notAsked: ['what nginx lost: it does not report (http-batch.conf)'] },
        lateness: { log: 'the spool', views: 660 },
      },
      rules: { source: 'the spool of this host', views: 660, isCut: false },
    });
    expect(report.periods).toMatchObject({ more: 0, mostAtOnce: 1, cap: 100 });
    expect(report.periods.list).toEqual([
      expect.objectContaining({ item: '4711', name: 'Kettle', signal: 'pin', reason: 'TV | <b>spot</b>' }),
    ]);
    const sum = report.curve.all.reduce((total, views) => total + views, 0);
    expect(sum).toBe(660);
    // In ten seconds, 10 views/s.
    expect(Math.max(...report.curve.people)).toBe(100);
    if ('unknown' in report.rules) throw new Error(report.rules.unknown);
    // 10 views/s by 60 people, over ten seconds and more: busy from 10/s, not from 20/s.
    expect(report.rules.grid).toHaveLength(9);
    expect(report.rules.inForce.busy.items).toBe(0);
    expect(report.rules.grid.find(({ busyFrom }) => busyFrom === 10)?.busy.items).toBe(1);
  });

  test('is a page or Markdown in a file, and says what is asked wrongly', async () => {
    const args = ['report', ...sale, '--rules-seconds', '0'];
    const made = await runHotitem([...args, '--output', file('report.html')], env);
    expect(made).toEqual({ code: 0, stdout: '', stderr: '', missing: false });
    const page = readFileSync(file('report.html'), 'utf8');
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).toContain('TV | &lt;b&gt;spot&lt;/b&gt;');
    expect(page).toContain('Not known: nothing was tried (--rules-seconds 0).');
    const { stdout } = await runHotitem([...args, '--format', 'md'], env);
    expect(stdout).toMatch(/^# Item views\n/);
    expect(stdout).toContain('TV \\| &lt;b&gt;spot&lt;\\/b&gt;');
  });

  test('knows the cap of the rules of now, and how seldom a page is refreshed, also without trying rules', async () => {
    writeFileSync(file('rules.yml'), 'cap: 7\n');
    // For an empty TZ, Node names a zone that it does not accept.
    const now = { HOTITEM_HEAT_RULES: file('rules.yml'), HOTITEM_PROTECT_REFRESH_MS: '60000', TZ: '' };
    const args = ['report', ...sale, '--rules-seconds', '0', '--format', 'json'];
    const { stdout } = await runHotitem(args, { ...env, ...now });
    const { periods, saved, timeZone } = JSON.parse(stdout) as Report;
    expect(timeZone).toBe('UTC');
    expect(periods.cap).toBe(7);
    // The keeper never waits longer than half of stale_seconds.
    expect(saved.refreshMs).toBe(5_000);
  });

  test('of a time without views says so, and when the newest view was', async () => {
    const report = await reportOf(['--to', '2026-01-02T00:00']);
    expect(report.range).toMatchObject({
      from: Date.UTC(2026, 0, 1),
      to: Date.UTC(2026, 0, 2),
      isRunning: false,
    });
    expect(report.totals).toMatchObject({ all: 0, people: 0, visitors: 0 });
    expect(report.notes.join(' ')).toMatch(/keeps 30 days.* The newest view in the index is of /);
    expect(report.rules).toMatchObject({ views: 0 });
  });

  test('is made without a sidecar as well, and then does not know what only that knows', async () => {
    await sidecar.stop();
    const said = 'hotitem report: the sidecar: nothing answers at 127.0.0.1:';
    const report = await reportOf([...sale, '--rules-seconds', '0'], said);
    // It is passed on: what is only for who runs the command is not in it.
    expect(JSON.stringify(report)).not.toMatch(/127\.0\.0\.1|\/tmp\//);
    expect(report.totals).toMatchObject({ people: 660 });
    expect(report.accounting).toMatchObject({
      waiting: { unknown: 'nothing answers on this host' },
      dead: { events: 0 },
    });
    expect(report.accounting.lost).toEqual(
      existsSync(file('losses.json'))
        ? { list: [], earlier: 0, notAsked: ['what nginx lost: nothing answers on this host'] }
        : { unknown: expect.stringContaining('what the sidecar lost: nothing answers') },
    );
  });

  test.each(
    firstOf<[string[], Record<string, string>, number, string]>(5, [
      [['--from', 'noon'], {}, 2, '--from: must be like 2026'],
      [['--format', 'pdf'], {}, 2, '--format: must be html, md or json (got "pdf")'],
      [['--output', '/'], {}, 1, '--output: cannot write /: is a folder'],
      [[], { HOTITEM_HOME: '/nowhere' }, 1, 'there is no index at /nowhere/'],
      [[], { ELASTICSEARCH_NODE: 'http://127.0.0.1:9' }, 1, 'the index does not answer: '],
      [['--from', '-1h', '--to', '-2h'], {}, 2, '--from must be before --to'],
      [['--from', '2999-01-01', '--to', '2999-01-02'], {}, 2, '--from: is in the future'],
      [['--time-zone', 'Berlin'], {}, 2, '--time-zone: must be like Europe/Berlin'],
      [['--rules-seconds', '-1'], {}, 2, '--rules-seconds: must be a whole number'],
      [['--output', ''], {}, 2, '--output: must be a file (got "")'],
      [['--output', '/nowhere/at/all.html'], {}, 1, '--output: cannot write /nowhere/at/all.html'],
    ]),
  )('%j with %j exits %d: %s', async (args, more, code, text) => {
    const ran = await runHotitem(['report', ...args], { ...env, ...more });
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(text) });
  });

  async function reportOf(args: string[], said = ''): Promise<Report> {
    const { code, stdout, stderr } = await runHotitem(['report', ...args, '--format', 'json'], env);
    expect({ code, stderr: stderr.slice(0, said.length || undefined) }).toEqual({ code: 0, stderr: said });
    return JSON.parse(stdout) as Report;
  }
});

function seen(item: string, visitor: number, time: number): string {
  return lineOf({ item, ip: addressOf(visitor), time });
}
