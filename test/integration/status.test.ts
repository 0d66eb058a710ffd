import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Accounts } from '../../cli/wire-sidecar.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import { views } from '../parts/load.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type Chain, startChain } from './chain.ts';
import { askHotitem, runHotitem } from './run-hotitem.ts';

jest.setTimeout(120_000);
const FULL = process.env.HOTITEM_TEST_FULL === '1';
const WAIT_MS = 30_000;
const NOBODY = { user: 'nobody', group: 'nogroup' };

type Status = Accounts & { verdict: string; findings: { id: string; fix: string }[] };

suiteWith(['nginx'])('hotitem status, beside an nginx whose workers are not root', () => {
  let chain: Chain;
  let env: Record<string, string>;
  let sent = 0;

  beforeAll(async () => {
    chain = await startChain({
      build: await obtainNginx({ suite: 'trixie', report }),
      transport: 'subrequest',
      env: { HOTITEM_INTAKE_SOCKET_GROUP: NOBODY.group },
    });
    env = { HOTITEM_HOME: chain.home, HOTITEM_ADMIN_LISTEN: chain.sidecar.admin };
    for (const folder of ['', 'run', 'pages', 'nginx']) chmodSync(join(chain.home, folder), 0o755);
    await edit(/^user .*$/m, `user ${NOBODY.user} ${NOBODY.group};`);
  });
  afterAll(() => chain?.close());

  test('begins with a verdict, and exits 0 where all is well', async () => {
    await see(5);
    await says(/^captures; delivers; nothing lost\n/);
    const { code, stdout } = await runHotitem(['status'], env);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nversion {2}installed \S+, sidecar runs \S+, nginx runs \S+\n/);
  });

  test('does not say that views are captured while nginx includes off-batch.conf', async () => {
    await runHotitem(['capture', 'on'], env);
    await edit(/hotitem\/http\.conf"/, 'hotitem/off-batch.conf"');
    const { code, stdout } = await says(/^captures NOTHING: nginx includes off-batch\.conf; delivers; /);
    expect(code).toBe(1);
    expect(stdout).toContain('[capture-off]');
    await edit(/hotitem\/off-batch\.conf"/, 'hotitem/http.conf"');
    await says(/^captures; /);
  });

  test('says how many views were lost to permissions, since when and why, and exits 3', async () => {
    const spill = join(chain.home, 'spill');
    await chain.sidecar.stop();
    chmodSync(spill, 0o700);
    await see(30);
    chmodSync(spill, 0o2770);
    await chain.sidecar.start();

    const { code, stdout } = await says(
      /^captures; delivers; (LOSING|LOST) views: 30 since \S+Z: nginx captured them and they arrived nowhere/,
    );
    expect(code).toBe(3);
    expect(stdout).toContain('[lost-nginx-missing]');
    expect((await runHotitem(['status', '--lost-from', 'now'], env)).code).toBe(0);
    const verified = await runHotitem(['verify', '--from', '-1h'], env);
    expect(verified).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /^before the spool, .*captured \d+, .*\n +lost 30 from .*\n(.*\n)*NOT BALANCED$/m,
      ),
    });
  });

  test('after a restart of the sidecar the accounting of nginx still balances, and the loss is not forgotten', async () => {
    await chain.sidecar.stop();
    await chain.sidecar.start();
    await says(/^captures; delivers; /);
    const { status, answer } = await askHotitem<Status>(['status'], env);
    const { captured = 0, ingested = 0, unaccounted = 0 } = answer.nginx?.accounts ?? {};
    expect(status).toBe(3);
    expect(answer.verdict).toContain('views: 30 since');
    expect({ captured, ingested: captured - ingested }).toEqual({ captured: sent, ingested: unaccounted });
    const { stdout } = await runHotitem(['status'], env);
    expect(stdout).toMatch(/^nginx, over all restarts\n(.*\n)+sidecar, since it started at \S+Z\n/m);
  });

  (FULL ? test : test.skip)('says that nginx is silent where it does not run', async () => {
    await chain.nginx.stop();
    const { code } = await says(/^nginx is silent since \S+Z; delivers; /, 60_000);
    expect(code).toBe(3);
  });

  async function says(what: RegExp, timeoutMs: number = WAIT_MS) {
    let last = '';
    const said = async () => {
      const ran = await runHotitem(['status'], env);
      last = `${ran.stdout}${ran.stderr}`;
      return what.test(last) ? ran : undefined;
    };
    return until(said, {
      timeoutMs,
      everyMs: 250,
      what: `status to say ${what}`,
      detail: async () => `${last}\n${await chain.logs()}`,
    });
  }

  async function see(count: number): Promise<void> {
    const paths = Array.from({ length: count }, (_, i) => `/web/item/${(i % 300) + 1}.html`);
    const answers = await views({ port: chain.port, paths });
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    sent += count;
  }

  async function edit(from: RegExp, to: string): Promise<void> {
    const path = join(chain.home, 'nginx/nginx.conf');
    const text = readFileSync(path, 'utf8');
    if (text.search(from) === -1) throw new Error(`${path} holds no ${from}`);
    writeFileSync(path, text.replace(from, to));
    await chain.nginx.reload();
  }
});
