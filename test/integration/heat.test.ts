import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { BacktestAnswer } from '../../cli/backtest-text.ts';
import { periodOf } from '../../heat/hot-folder.ts';
import type { WholeHotList } from '../../heat/hot-list.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { BROWSER, views } from '../parts/load.ts';
import { report } from '../parts/report.ts';
import { askOnce } from '../parts/service.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type Chain, startChain } from './chain.ts';
import { isListed } from './hot-list-files.ts';
import { addressOf, lineOf, postLines } from './post-lines.ts';
import { runHotitem } from './run-hotitem.ts';

jest.setTimeout(180_000);

const SOON_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Views in ten seconds that make an item busy are 200; the more are there for a machine that is slow. */
const CROWD = 1_000;
/** An item stays hot for as long as its test may take on a busy machine. */
const RULES = 'rules:\n  - name: default\n    busy:\n      dwell_seconds: 600\n';
const ESCAPE = '\u001b';

suiteWith(['nginx'])('hot items', () => {
  let chain: Chain;
  const folder = temporaryFolder('rules');
  const rules = join(folder.path, 'rules.yml');

  beforeAll(async () => {
    writeFileSync(rules, RULES);
    const env = { HOTITEM_PRIVACY_IP: 'drop', HOTITEM_HEAT_RULES: rules };
    chain = await startChain({ build: await obtainNginx({ suite: 'trixie', report }), env });
  });
  afterAll(async () => {
    await chain?.close();
    folder.remove();
  });

  test('an item that many people view turns hot, with a reason, for nginx, programs and monitoring', async () => {
    await viewedUntilHot('7');
    const { hot } = await hotList();
    expect(hot.find(({ item, signal }) => item === '7' && signal === 'busy')).toMatchObject({
      reason: expect.stringMatching(/^[\d.]+ views\/s over 10 s.*visitors? in 10 s$/),
      rule: 'default',
      actions: ['announce', 'cache'],
    });
    await until(() => hotFile('7'), { timeoutMs: SOON_MS, what: 'its file' });
    expect(hotFile('8')).toBe(false);
    expect(await chain.sidecar.text('/metrics')).toMatch(/hotitem_hot_items\{signal="busy"\} [1-9]/);
    expect(await chain.sidecar.metric('hotitem_heat_decision_seconds_count')).toBeGreaterThan(0);
    const asked = await ask('intake.sock', 'GET', '/v1/hot');
    expect(asked).toMatchObject({ status: 200, body: { hot: expect.any(Array), node: 'web-1' } });
    expect(asked.body).not.toHaveProperty('overrides');
  });

  test('visitors are distinguished although privacy.ip is drop', async () => {
    const busy = async () => {
      await postViews(Array.from({ length: 300 }, (_, i) => ({ item: 'people', ip: addressOf(i) })));
      return (await hotList()).hot.find(({ item, signal }) => item === 'people' && signal === 'busy');
    };
    const { reason } = await until(busy, { timeoutMs: SOON_MS, what: 'it to turn hot', detail: chain.logs });
    expect(reason).toMatch(/, (?:2\d\d|300) visitors in 10 s$/);
  });

  test('a client that uses another address of its IPv6 network for each view is one visitor', async () => {
    const ip = (i: number) => `2001:db8::${(i + 1).toString(16)}`;
    await postViews(Array.from({ length: 300 }, (_, i) => ({ item: 'scraped', ip: ip(i) })));
    const { hot } = await hotList();
    const [busy] = hot.filter(({ item, signal }) => item === 'scraped' && signal === 'busy');
    expect(busy?.reason).toMatch(/, 1 visitors? in 10 s$/);
  });

  test('the same view sent twice counts once', async () => {
    const lines = Array.from({ length: 150 }, () => lineOf({ item: 'twice' }));
    const socket = join(chain.home, 'run/intake.sock');
    await postLines(socket, lines);
    await postLines(socket, lines);
    spill('again', lines);
    // As in a reload without a sidecar: the worker that exits and its successor may write the same views.
    const spilled = Array.from({ length: 150 }, () => lineOf({ item: 'spilled twice' }));
    spill('both', [...spilled, ...spilled]);
    const duplicates = async () => ((await chain.accounts()).sidecar?.duplicate ?? 0) >= 450;
    await until(duplicates, { timeoutMs: SOON_MS, what: 'the duplicates', detail: chain.logs });
    for (const item of ['twice', 'spilled%20twice']) {
      const { body } = await ask('control.sock', 'GET', `/v1/hot/item?item=${item}`);
      expect(body).toMatchObject({ measured: { windows: { fiveMinutes: { views: 150 } } } });
    }
  });

  test('a spill from an hour ago makes nothing hot, and is counted as late', async () => {
    const time = Date.now() - HOUR_MS;
    spill(
      'old',
      Array.from({ length: CROWD }, () => lineOf({ item: 'old', time })),
    );
    const late = async () => (await chain.sidecar.metric('hotitem_heat_late_total')) >= CROWD;
    await until(late, { timeoutMs: SOON_MS, what: 'the spill', detail: chain.logs });
    expect((await hotList()).hot.filter(({ item }) => item === 'old')).toEqual([]);
  });

  test("a backtest of the running sidecar's spool finds the same, and changes nothing", async () => {
    const entered = () =>
      auditEntries()
        .filter(({ what, signal }) => what === 'enters' && signal === 'busy')
        .map(({ item }) => item);
    // The log is written a moment later.
    await until(() => entered().includes('7') && entered().includes('people'), {
      timeoutMs: SOON_MS,
      what: 'the decisions',
      detail: chain.logs,
    });
    const decided = entered();
    const delivered = async () => {
      const accounts = await chain.accounts();
      return accounts.sidecar?.waiting === 0 ? accounts : undefined;
    };
    const before = await until(delivered, { timeoutMs: SOON_MS, what: 'all events to be delivered' });
    const { code, stdout } = await runHotitem(['backtest', '--from', 'spool', '--json'], {
      HOTITEM_HOME: chain.home,
      HOTITEM_PRIVACY_IP: 'drop',
    });
    expect(code).toBe(0);
    const { counts, found }: BacktestAnswer = JSON.parse(stdout);
    expect([...new Set(found?.spells.map(({ item }) => item))].sort()).toEqual([...new Set(decided)].sort());
    expect(found?.stats?.late).toBe(CROWD);
    // Addresses are not stored, so nobody is told apart.
    expect(counts.unknownVisitors + counts.bots).toBe(counts.views);
    expect((await chain.accounts()).sidecar).toEqual(before.sidecar);
  });

  test("nginx's workers can only read the list", async () => {
    const pin = { do: 'pin', item: '1', reason: 'mine', by: 'nobody' };
    expect((await ask('intake.sock', 'POST', '/v1/hot', pin)).status).toBe(405);
    expect((await ask('intake.sock', 'GET', '/v1/hot/item?item=7')).status).toBe(404);
    // An item may cool just between the two.
    const nothingNew = async () => {
      const { version } = await hotList();
      return (await ask('intake.sock', 'GET', `/v1/hot?version=${version}`)).status === 204;
    };
    await until(nothingNew, { timeoutMs: SOON_MS, what: 'an answer without a new version' });
  });

  test('a client that waits for the next version gets it', async () => {
    const { version } = await hotList();
    const waiting = until(
      async () => {
        const asked = await ask('intake.sock', 'GET', `/v1/hot?version=${version}&wait=5000`);
        return asked.status === 200 ? asked : undefined;
      },
      { timeoutMs: SOON_MS, what: 'the next version' },
    );
    expect(await hotitem('pin', 'announced', '--reason', 'campaign', '--for', '30m')).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^announced: pinned until \d{4}-/),
    });
    await waiting;
    expect((await hotList()).hot).toContainEqual(
      expect.objectContaining({ item: 'announced', signal: 'pin', reason: 'campaign' }),
    );
    await until(() => hotFile('announced'), { timeoutMs: SOON_MS, what: 'its file' });
  });

  test('control characters in a name are shown escaped', async () => {
    await hotitem('ban', `${ESCAPE}[2Jx`, '--reason', 'strange');
    const { stdout } = await hotitem('list');
    expect(stdout).toMatch(/announced +pin +for .* until .*campaign/);
    expect(stdout).toContain('\\x1b[2Jx');
    expect(stdout).not.toContain(ESCAPE);
    await hotitem('clear', `${ESCAPE}[2Jx`);
  });

  test('a ban removes an item, whatever its traffic', async () => {
    expect((await hotitem('ban', '7', '--reason', 'a test page')).stdout).toBe('7: banned\n');
    expect(hotFile('7')).toBe(false);
    await postViews(Array.from({ length: CROWD }, () => ({ item: '7' })));
    expect((await hotList()).hot.filter(({ item }) => item === '7')).toEqual([]);
    expect((await hotitem('show', '7')).stdout).toMatch(/^7 +not hot.*it is banned.*last minute +\d+/s);
    await hotitem('clear', '7');
  });

  test('freeze empties the folder at once and survives a restart, and hot items are kept', async () => {
    await viewedUntilHot('9');
    expect((await hotitem('freeze', '--reason', 'to be sure')).code).toBe(0);
    expect([hotFile('9'), hotFile('announced')]).toEqual([false, false]);
    await chain.sidecar.stop();
    await chain.sidecar.start();
    const list = await hotList();
    expect(list.frozen).toMatchObject({ reason: 'to be sure' });
    expect(list.hot.map(({ item }) => item)).toEqual(expect.arrayContaining(['9', 'announced']));
    expect(hotFile('9')).toBe(false);
    expect((await status()).stdout).toContain('the hot list is frozen');

    await hotitem('thaw');
    await until(() => hotFile('announced'), { timeoutMs: SOON_MS, what: 'the hot list' });
  });

  test('who did what, when and why is in the audit log', async () => {
    const said = async () =>
      auditEntries().filter(({ what }) => ['pin', 'ban', 'clear', 'freeze', 'thaw'].includes(what));
    const all = await until(
      async () => {
        const entries = await said();
        return entries.at(-1)?.what === 'thaw' ? entries : undefined;
      },
      { timeoutMs: SOON_MS, what: 'the last entry' },
    );
    expect(all.map(({ what }) => what)).toEqual(['pin', 'ban', 'clear', 'ban', 'clear', 'freeze', 'thaw']);
    expect(all[0]).toMatchObject({ who: expect.stringMatching(/./), reason: 'campaign' });
  });

  test('a changed rules file is in force, and its cap holds an item back: both are logged', async () => {
    writeFileSync(rules, 'cap: 1\n');
    await until(() => logged('the rules for hot items have changed and are in force'), {
      timeoutMs: SOON_MS,
      what: 'the reload to be logged',
      detail: chain.logs,
    });
    const isHeld = async () => {
      for (const item of ['held-1', 'held-2'])
        await postViews(Array.from({ length: CROWD / 4 }, (_, i) => ({ item, ip: addressOf(i) })));
      return auditEntries().some(({ what }) => what === 'held');
    };
    await until(isHeld, { timeoutMs: SOON_MS, what: 'an item that is held back', detail: chain.logs });
    await until(() => logged('the cap holds an item back'), {
      timeoutMs: SOON_MS,
      what: 'that to be logged',
      detail: chain.logs,
    });
    expect(
      await chain.sidecar.metric('hotitem_heat_decisions_total{signal="busy",change="held"}'),
    ).toBeGreaterThan(0);
  });

  if (FULL) {
    test('nothing is hot for nginx twenty seconds after a kill -9 of the sidecar', async () => {
      expect((await hotitem('pin', '12', '--reason', 'campaign')).code).toBe(0);
      await until(() => isHotForNginx('12'), { timeoutMs: SOON_MS, what: '12 to be hot' });
      await chain.sidecar.kill();
      const killed = Date.now();
      expect(await isHotForNginx('12')).toBe(true);
      await until(async () => !(await isHotForNginx('12')), { timeoutMs: SOON_MS, what: '12 to be cold' });
      // Of ten seconds each; it had made the files of its own and of the next one.
      expect(periodOf(Date.now()) - periodOf(killed)).toBeLessThanOrEqual(2);
      await chain.sidecar.start();
      await until(() => isHotForNginx('12'), { timeoutMs: SOON_MS, what: '12 to be hot again' });
    });
  }

  async function isHotForNginx(item: string): Promise<boolean> {
    const { headers } = await askOnce(`http://127.0.0.1:${chain.port}/web/item/${item}.html`);
    return headers.get('x-hotitem-hot') === '1';
  }

  function logged(message: string): boolean {
    return readFileSync(join(chain.home, 'sidecar.log'), 'utf8').includes(message);
  }

  function auditEntries(): AuditEntry[] {
    return readFileSync(join(chain.home, 'heat-audit.ndjson'), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line): AuditEntry => JSON.parse(line));
  }

  /** As people do, through nginx. */
  async function viewedUntilHot(item: string): Promise<void> {
    const hot = async () => {
      await views({
        port: chain.port,
        headers: { 'User-Agent': BROWSER },
        paths: Array.from({ length: CROWD / 4 }, () => `/web/item/${item}.html`),
      });
      return (await hotList()).hot.some((one) => one.item === item && one.signal === 'busy');
    };
    await until(hot, { timeoutMs: SOON_MS, what: `${item} to turn hot`, detail: chain.logs });
  }

  function hotList(): Promise<WholeHotList> {
    return chain.sidecar.json<WholeHotList>('/api/v1/hot');
  }

  function hotFile(item: string): boolean {
    return isListed(join(chain.home, 'run/hot'), 'hot', item);
  }

  function postViews(some: Parameters<typeof lineOf>[0][]): Promise<void> {
    return postLines(join(chain.home, 'run/intake.sock'), some.map(lineOf));
  }

  function spill(name: string, lines: string[]): void {
    writeFileSync(join(chain.home, 'spill', `${name}.tsv`), `${lines.join('\n')}\n`);
  }

  function hotitem(...args: string[]) {
    return runHotitem(['hot', ...args], { HOTITEM_HOME: chain.home });
  }

  function status() {
    return runHotitem(['status'], { HOTITEM_HOME: chain.home, HOTITEM_ADMIN_LISTEN: chain.sidecar.admin });
  }

  function ask(
    socket: string,
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; body: unknown }> {
    return new Promise((resolve, reject) => {
      const options = { socketPath: join(chain.home, 'run', socket), path, method, agent: false };
      const asked = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) }),
        );
      });
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
});

type AuditEntry = { time: string; who: string; what: string; reason: string; item: string; signal: string };
