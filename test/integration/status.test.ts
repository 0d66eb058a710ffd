import { createHash } from 'node:crypto';
import { chmodSync, chownSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Accounts } from '../../app/wire-sidecar.ts';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import { FULL } from '../parts/full.ts';
import { views } from '../parts/load.ts';
import { freePorts } from '../parts/ports.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { type Chain, startChain } from './chain.ts';
import { commandOf, idsIn } from './doctor-report.ts';
import { askHotitem, runHotitem } from './run-hotitem.ts';

jest.setTimeout(180_000);
const WAIT_MS = 60_000;
const NOBODY = { user: 'nobody', group: 'nogroup' };

type Status = Accounts & { verdict: string; findings: { id: string; fix: string }[] };

suiteWith(['nginx'])('hotitem status, beside an nginx whose workers are not root', () => {
  let build: NginxBuild;
  let chain: Chain;
  let env: Record<string, string>;
  let sent = 0;

  beforeAll(async () => {
    build = await obtainNginx({ suite: 'trixie', report });
    chain = await startChain({
      build,
      transport: 'subrequest',
      env: { HOTITEM_INTAKE_SOCKET_GROUP: NOBODY.group },
    });
    env = { HOTITEM_HOME: chain.home, HOTITEM_ADMIN_LISTEN: chain.sidecar.admin };
    for (const folder of ['', 'run', 'pages', 'nginx']) chmodSync(join(chain.home, folder), 0o755);
    await edit(/^user .*$/m, `user ${NOBODY.user} ${NOBODY.group};`);
  });
  afterAll(() => chain?.close());

  test('starts with a verdict, and exits 0 if all is well', async () => {
    await see(5);
    const { code, stdout } = await says(/^captures; delivers; nothing lost\n/);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nversion {2}installed \S+, sidecar runs \S+, nginx runs \S+\n/);
  });

  test('does not say that views are captured while nginx includes off-batch.conf', async () => {
    await runHotitem(['capture', 'on'], env);
    await edit(/hotitem\/http\.conf"/, 'hotitem/off-batch.conf"');
    const { code, stdout } = await says(/^captures NOTHING: nginx includes off-batch\.conf; delivers; /);
    expect(code).toBe(1);
    expect(stdout).toContain('[capture-off]');
    expect((await runHotitem(['capture', 'status'], env)).stdout).toMatch(
      /^capture: on\nbut nginx includes off-/,
    );
    await edit(/hotitem\/off-batch\.conf"/, 'hotitem/http.conf"');
    await says(/^captures; /);
  });

  test('reports how many views were lost because of permissions, since when and why, and exits 3', async () => {
    const spill = join(chain.home, 'spill');
    await chain.sidecar.stop();
    chmodSync(spill, 0o700);
    // A worker that has spilled before has the file of this minute open.
    await chain.nginx.reload();
    // It looks once a second. Until then it takes views for spilled that it could not write.
    const isBarred = async () => (await chain.nginx.errorLog()).includes('spill folder is not writable');
    await until(isBarred, { timeoutMs: WAIT_MS, what: 'nginx to see the folder', detail: chain.logs });
    await see(30);
    chmodSync(spill, 0o2770);
    await chain.sidecar.start();

    const { code, stdout } = await says(
      /^captures; delivers; (LOSING|LOST) views: 30 since \S+Z: nginx could not spill them/,
    );
    expect(code).toBe(3);
    expect(stdout).toContain('[lost-nginx-dropped]');
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
    const isBalanced = async () => {
      const { nginx } = await chain.accounts();
      const { captured, ingested, dropped = 0, unaccounted } = nginx?.accounts ?? {};
      return captured === sent && ingested === sent - dropped && unaccounted === 0;
    };
    const balanced = { timeoutMs: WAIT_MS, what: `${sent} captured views to balance`, detail: chain.logs };
    await until(isBalanced, balanced);
    const { status, answer } = await askHotitem<Status>(['status'], env);
    expect([status, answer.verdict]).toEqual([3, expect.stringContaining('views: 30 since')]);
    expect(answer.nginx?.accounts).toMatchObject({ captured: sent, unaccounted: 0 });
    const { stdout } = await runHotitem(['status'], env);
    expect(stdout).toMatch(/^nginx, over all restarts\n(.*\n)+sidecar, since it started at \S+Z\n/m);
  });

  test('doctor sends a test view through all parts; it is in the accounting and in no ranking', async () => {
    const before = await chain.accounts();
    const ranked = await rankedViews();
    const { code, stdout } = await doctor();
    expect(stdout).toMatch(/^checked as the user root .*; nginx \S+, njs /);
    expect(stdout).toMatch(
      /^test view {2}asked for http:\S+\/web\/item\/\S+ .*, ingested, in the index of the sidecar/m,
    );
    // Views were lost above, which it says as status does.
    expect(code).toBe(3);
    expect(stdout).toContain('[lost-nginx-dropped]');
    expect(idsIn(stdout, 'error')).toEqual(['lost-nginx-dropped']);

    const after = await chain.accounts();
    expect(after.sidecar?.accepted).toBe((before.sidecar?.accepted ?? 0) + 1);
    expect(after.sink?.indexed).toBe((before.sink?.indexed ?? 0) + 1);
    expect(after.sidecar?.unaccounted).toBe(0);
    expect(await rankedViews()).toBe(ranked);
  });

  test('nginx install prints the includes that fit this nginx, and the group of its workers', async () => {
    symlinkSync(build.modules.js ?? '', join(chain.home, 'ngx_http_js_module.so'));
    const conf = join(chain.home, 'nginx/nginx.conf');
    const args = ['nginx', 'install', '--dir', join(chain.home, 'another'), '--nginx-conf', conf];
    const { stdout } = await runHotitem(args, { ...env, HOTITEM_NGINX: program() });
    expect(stdout).toContain(`as it fits the nginx ${build.version} found here, with njs ${build.njs}`);
    expect(stdout).toMatch(/include \S+\/http-batch\.conf;\n(.*\n)*.*include \S+\/capture-batch\.conf;/);
    expect(stdout).toContain(`intake:\n  socket_group: ${NOBODY.group}\n`);
  });

  type SetUp = { spoil: () => void | Promise<void>; mend: () => void | Promise<void> };

  const SET_UPS: [string, string, SetUp][] = [
    [
      'off-batch.conf',
      'capture-off',
      {
        spoil: () => edit(/hotitem\/http\.conf"/, 'hotitem/off-batch.conf"'),
        mend: () => edit(/hotitem\/off-batch\.conf"/, 'hotitem/http.conf"'),
      },
    ],
    [
      'the wrong group',
      'socket-not-writable',
      {
        spoil: () => chownSync(join(chain.home, 'run/intake.sock'), 0, 0),
        mend: () =>
          chownSync(join(chain.home, 'run/intake.sock'), 0, statSync(join(chain.home, 'spill')).gid),
      },
    ],
    ['an edited include', 'include-edited', inInclude('http.conf', /fail_timeout=30s/, 'fail_timeout=9s')],
    ['an old include', 'include-old', olderInclude()],
    ['the wrong socket', 'socket-differs', inInclude('http.conf', /intake\.sock/g, 'other.sock')],
  ];

  (FULL ? test : test.skip).each(SET_UPS)(
    'doctor names %s, and the command that mends it',
    async (_, id, how) => {
      await how.spoil();
      const { stdout } = await doctor(['--no-view']);
      await how.mend();
      expect(stdout).toContain(`[${id}]`);
      expect(commandOf(stdout, id)).toMatch(/^\S/);
      const isMended = async () => !(await doctor(['--no-view'])).stdout.includes(`[${id}]`);
      await until(isMended, { timeoutMs: WAIT_MS, what: `no ${id} any more`, detail: chain.logs });
    },
  );

  (FULL ? test : test.skip)('doctor names the process on a port, and the command that fixes it', async () => {
    const [port = 0] = await freePorts(1);
    const stranger = createServer((_, response) => response.end('not ours'));
    await new Promise<void>((resolve) => stranger.listen(port, '127.0.0.1', resolve));
    try {
      const { code, stdout } = await doctor(['--admin-listen', `127.0.0.1:${port}`]);
      expect(code).toBe(1);
      expect(stdout).toMatch(
        new RegExp(
          `127\\.0\\.0\\.1:${port}, the admin.listen of the sidecar, is in use: .*pid ${process.pid}`,
        ),
      );
      expect(commandOf(stdout, 'port-taken')).toBe(
        `kill ${process.pid} && systemctl restart hotitem-sidecar`,
      );
    } finally {
      stranger.close();
    }
  });

  (FULL ? test : test.skip)('says that nginx does not report if it does not run', async () => {
    await chain.nginx.stop();
    const { code } = await says(/^nginx is silent since \S+Z; delivers; /, 60_000);
    expect(code).toBe(3);
  });

  /** As another version wrote it: its sum is that of its text, and version.conf says which one that was. */
  function olderInclude(): SetUp {
    const path = (name: string) => join(chain.home, 'nginx/hotitem', name);
    let texts: Record<string, string> = {};
    return {
      spoil() {
        const names = ['http.conf', 'version.conf'];
        texts = Object.fromEntries(names.map((name) => [name, readFileSync(path(name), 'utf8')]));
        const { 'http.conf': http = '', 'version.conf': version = '' } = texts;
        const older = http.replace('fail_timeout=30s', 'fail_timeout=20s');
        const sums = version.replaceAll(sumOf(http), sumOf(older));
        if (sums === version) throw new Error('version.conf holds no sum of http.conf');
        writeFileSync(path('http.conf'), older);
        writeFileSync(path('version.conf'), sums.replace(/default "[^"]+"/, 'default "0.0.1"'));
      },
      mend() {
        for (const [name, text] of Object.entries(texts)) writeFileSync(path(name), text);
      },
    };
  }

  /** By whomever, of all items. */
  async function rankedViews(): Promise<number> {
    const path = '/api/v1/items?window=1h&limit=200&rank=all';
    const { items } = await chain.sidecar.json<{ items: { all: number }[] }>(path);
    return items.reduce((sum, { all }) => sum + all, 0);
  }

  /** As an operator calls it; the private nginx needs more than a path, so it gets a program of its own. */
  function doctor(more: string[] = []) {
    const conf = join(chain.home, 'nginx/nginx.conf');
    return runHotitem(['doctor', '--nginx', program(), '--nginx-conf', conf, ...more], {
      ...env,
      HOTITEM_INTAKE_SOCKET_GROUP: NOBODY.group,
    });
  }

  function program(): string {
    const path = join(chain.home, 'nginx-program');
    writeFileSync(path, `#!/bin/sh\nexec ${build.command.join(' ')} "$@"\n`, { mode: 0o755 });
    return path;
  }

  function inInclude(name: string, from: RegExp, to: string): SetUp {
    let text = '';
    const path = () => join(chain.home, 'nginx/hotitem', name);
    return {
      spoil() {
        text = readFileSync(path(), 'utf8');
        if (text.search(from) === -1) throw new Error(`${name} holds no ${from}`);
        writeFileSync(path(), text.replace(from, to));
      },
      mend: () => writeFileSync(path(), text),
    };
  }

  async function says(what: RegExp, timeoutMs: number = WAIT_MS) {
    let last = '';
    const said = async () => {
      const ran = await runHotitem(['status'], env);
      last = `${ran.stdout}${ran.stderr}`;
      return what.test(last) ? ran : undefined;
    };
    return until(said, {
      timeoutMs,
      // nginx reports once a second.
      everyMs: 1_000,
      what: `status to say ${what}`,
      detail: async () => `${last}\n${await chain.logs()}`,
    });
  }

  async function see(count: number): Promise<void> {
    const paths = Array.from({ length: count }, (_, i) => `/web/item/${(i % 300) + 1}.html`);
    // Over one connection, which nginx answers again once a view has been captured, spilled or lost.
    const answers = await views({ port: chain.port, paths: [...paths, '/'], connections: 1 });
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

/** As version.conf has it. */
function sumOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
