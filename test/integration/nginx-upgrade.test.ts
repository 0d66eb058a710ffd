import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { IncludeSettings } from '../../nginx-setup/includes.ts';
import { installNginx } from '../../nginx-setup/install.ts';
import { installTested } from '../../nginx-setup/install-tested.ts';
import { planInstall } from '../../nginx-setup/plan.ts';
import { removeIncludes } from '../../nginx-setup/remove.ts';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import { FULL } from '../parts/full.ts';
import { until } from '../parts/until.ts';
import { fieldsOf } from './nginx-line.ts';
import { installRelease } from './nginx-release.ts';
import { startShop, type TestShop } from './nginx-shop.ts';

const START_MS = 300_000;

const SUITES: Suite[] = FULL ? ['bookworm', 'trixie', 'sid'] : ['trixie'];

let build: NginxBuild;
let shop: TestShop | undefined;
afterEach(() => shop?.close());

describe.each(SUITES)('the includes of a running nginx of %s', (suite) => {
  beforeAll(async () => {
    build = await obtainNginx({ suite, report: () => {} });
  }, START_MS);

  test('are upgraded from release 0.1.0: nginx can start after each file, and edited files are kept', async () => {
    const { dir, settings, nginx } = await start();
    release(dir, settings);
    await nginx.reload();
    await captures('4711');

    const plan = await planInstall(dir, settings);
    expect(plan.files.filter(({ outcome }) => outcome === 'changed').length).toBeGreaterThan(3);
    for (const { path, after, outcome } of plan.files) {
      if (outcome !== 'new' && outcome !== 'changed') continue;
      writeFileSync(path, after);
      expect([path, await nginx.test()]).toEqual([path, expect.objectContaining({ ok: true })]);
    }

    rmSync(dir, { recursive: true });
    release(dir, settings);
    const { backup = '' } = await installNginx({ ...settings, dir });
    expect(readFileSync(join(backup, 'http.conf'), 'utf8')).toMatch(
      /max_conns=32;[\s\S]*# hotitem 0\.1\.0\n$/,
    );
    expect(readFileSync(join(dir, 'http.conf'), 'utf8')).toContain('max_conns=32;');
    await nginx.reload();
    await captures('4712');
    expect(await installNginx({ ...settings, dir })).toMatchObject({ backup: undefined });
  });

  test('are removed, whichever line is deleted first: nginx starts at each step', async () => {
    const { dir, settings, nginx, get, folder } = await start();
    const conf = join(folder, 'nginx.conf');
    const command = { command: build.command, conf };
    const whole = readFileSync(conf, 'utf8');
    const lines = whole.split('\n').flatMap((line, i) => (line.includes(`"${dir}/`) ? [i] : []));
    writeFileSync(conf, without(whole, lines.slice(0, 1)));
    expect(await nginx.test()).toMatchObject({ ok: false, output: expect.stringContaining('hotitem') });
    writeFileSync(conf, whole);

    const first = await removeIncludes({ ...settings, dir, nginx: command });
    expect(first).toMatchObject({ inUse: lines.map((i) => ({ file: conf, line: i + 1, names: true })) });
    for (const order of [lines, lines.toReversed()]) {
      for (const [n] of order.entries()) {
        writeFileSync(conf, without(whole, order.slice(0, n + 1)));
        expect([n, await nginx.test()]).toEqual([n, expect.objectContaining({ ok: true })]);
      }
    }
    await nginx.reload();
    expect(await removeIncludes({ ...settings, dir, nginx: command })).toEqual({
      removed: expect.any(Number),
      kept: [],
    });
    expect(existsSync(dir)).toBe(false);
    await nginx.reload();
    expect((await get('/item/4711.html')).status).toBe(200);
    expect(await nginx.errorLog()).not.toMatch(/\[(?:emerg|alert|crit)\]/);
  });
});

describe('the includes of an nginx', () => {
  beforeAll(async () => {
    build = await obtainNginx({ suite: 'trixie', report: () => {} });
  }, START_MS);

  test('are neither removed nor changed if a line of the operator needs more than the inert files define', async () => {
    const { dir, settings, nginx, folder, edit } = await start();
    await edit(
      'charset utf-8;',
      'charset utf-8; limit_req_zone $hotitem_spill_folder zone=mine:1m rate=1r/s;',
    );
    expect(await nginx.test()).toMatchObject({ ok: true });
    const before = texts(dir);
    const removed = removeIncludes({
      ...settings,
      dir,
      nginx: { command: build.command, conf: join(folder, 'nginx.conf') },
    });

    await expect(removed).rejects.toThrow('nginx would not start without what the includes define');
    expect(texts(dir)).toEqual(before);
  });

  test('are not removed if the running nginx reads another nginx.conf than its default', async () => {
    const { dir, settings, folder } = await start();
    const empty = join(folder, 'empty.conf');
    writeFileSync(empty, 'events { }\n');
    // As a built-in path: nothing there includes the folder.
    const command = [...build.command, '-c', empty];

    // The nginx of the tests is started by a loader, and has no title that /proc shows.
    const argv0 = `nginx: master process /usr/sbin/nginx -c ${join(folder, 'nginx.conf')}`;
    const master = spawn('/bin/sleep', ['600'], { argv0, stdio: 'ignore' });
    try {
      await until(() => readFileSync(`/proc/${master.pid}/cmdline`, 'utf8').startsWith(argv0), {
        timeoutMs: 60_000,
        what: 'its title',
      });
      const result = await removeIncludes({ ...settings, dir, nginx: { command } });
      expect(result).toMatchObject({
        inUse: expect.arrayContaining([expect.objectContaining({ names: true })]),
      });
      expect(existsSync(dir)).toBe(true);
    } finally {
      master.kill();
    }
  });

  test('are restored if nginx would not start with the new ones, as with a second open_log_file_cache', async () => {
    const { dir, settings, folder, edit, nginx } = await start();
    release(dir, settings);
    const path = join(dir, 'log.conf');
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^open_log_file_cache.*$/m, ''));
    await edit('charset utf-8;', 'charset utf-8; open_log_file_cache max=64 inactive=60s valid=10s;');
    expect(await nginx.test()).toMatchObject({ ok: true });
    const before = texts(dir);
    const command = { command: build.command, conf: join(folder, 'nginx.conf') };

    await expect(installTested({ ...settings, dir }, command)).rejects.toThrow(
      'nginx would not start with the new includes: "open_log_file_cache" directive is duplicate',
    );
    expect(texts(dir)).toEqual(before);
    await installTested({ ...settings, dir, logCache: false }, command);
    expect(await nginx.test()).toMatchObject({ ok: true });
  });

  test('that the operator created or edited are kept until they are purged', async () => {
    const { dir, settings } = await start();
    writeFileSync(join(dir, 'items.conf'), 'map $uri $hotitem_item { default ours; }\n');
    writeFileSync(join(dir, 'realip.conf'), '# mine\n');
    const kept = [join(dir, 'items.conf'), join(dir, 'realip.conf')];

    expect(await removeIncludes({ ...settings, dir, nginx: undefined })).toMatchObject({ kept });
    const again = removeIncludes({ ...settings, dir, nginx: undefined });
    await expect(again).rejects.toThrow('contains no includes of hotitem');
    expect(await removeIncludes({ ...settings, dir, nginx: undefined, purge: true })).toMatchObject({
      kept: [],
    });
    expect(existsSync(dir)).toBe(false);
  });
});

type Started = TestShop & { dir: string; settings: IncludeSettings };

/** A shop with all that may be included in it. */
async function start(): Promise<Started> {
  shop = await startShop({ build });
  const { folder, edit, sidecar } = shop;
  await sidecar.start();
  const dir = join(folder, 'hotitem');
  const [, breaker = ''] = /listen (127\S+);/.exec(readFileSync(join(dir, 'http.conf'), 'utf8')) ?? [];
  const batch = build.njs === '0.7.9' ? [] : ['http-batch.conf'];
  const more = [...batch, 'log.conf'].map((name) => `\n    include "${dir}/${name}";`).join('');
  // Without ours nginx's built-in default log is back, in a folder that need not be there.
  const log = `\n    access_log "${folder}/run/access.log";`;
  await edit('/http.conf";', `/http.conf";${more}${log}`);
  await edit('/server.conf";', `/server.conf";\n        include "${dir}/log-limit.conf";`);
  // What uses a variable of ours goes first, as is said: these tests are about the includes.
  await edit('add_header X-Hotitem-Hot $hotitem_hot;', '');
  const settings = {
    socket: join(folder, 'intake.sock'),
    spill: join(folder, 'spill'),
    breaker,
    maxConns: 32,
  };
  await installNginx({ ...settings, dir });
  rmSync(join(dir, 'backup'), { recursive: true });
  return { ...shop, dir, settings };
}

/** Release 0.1.0, with what its documentation advised to edit, and without the includes that it had not. */
function release(dir: string, { socket, spill, breaker = '' }: IncludeSettings): void {
  rmSync(dir, { recursive: true, force: true });
  installRelease({ dir, socket, spill, breaker });
  const conf = join(dirname(dir), 'nginx.conf');
  writeFileSync(conf, readFileSync(conf, 'utf8').replace(/^.*hot\.conf";$/gm, ''));
  const path = join(dir, 'http.conf');
  writeFileSync(path, readFileSync(path, 'utf8').replace('max_conns=3;', 'max_conns=32;'));
}

async function captures(item: string): Promise<void> {
  await shop?.get(`/web/item/${item}.html`);
  await until(() => shop?.sidecar.kept.some((line) => fieldsOf(line).item === item) === true, {
    timeoutMs: 60_000,
    what: `the view of ${item}`,
    detail: async () => (await shop?.nginx.errorLog()) ?? '',
  });
}

function without(text: string, lines: number[]): string {
  return text
    .split('\n')
    .filter((_, i) => !lines.includes(i))
    .join('\n');
}

function texts(dir: string): Record<string, string> {
  const files = readdirSync(dir).filter((name) => name !== 'backup');
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(dir, name), 'utf8')]));
}
