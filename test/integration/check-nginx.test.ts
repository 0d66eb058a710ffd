import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { renderShop } from '../../demo/shop.ts';
import { checkNginx, type NginxReport } from '../../nginx-setup/check/check-nginx.ts';
import type { IncludeSettings } from '../../nginx-setup/includes.ts';
import { installedVersion } from '../../nginx-setup/install-version.ts';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import type { Finding } from '../../service/finding.ts';
import { type Ran, run } from '../../service/run.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { freePorts } from '../parts/ports.ts';

import { createStandIn } from './nginx-stand-in.ts';

const START_MS = 300_000;
const PROGRAM = join(import.meta.dirname, '../../dist/hotitem.mjs');
/** By `npm test`: the oldest and the newest nginx, with the engine that each has for itself, and the one in between. */
const ENGINES: [Suite, Engine][] = [
  ['bookworm', 'njs'],
  ['trixie', 'njs'],
  ...(FULL ? [['sid', 'njs'] satisfies [Suite, Engine]] : []),
  ['sid', 'qjs'],
];
/** What nginx itself, its modules or its engine has a say in: tried on each. The other rules read the configuration alone. */
const ASKED_OF_NGINX = [
  'module-not-loaded',
  'include-twice',
  'include-too-late',
  'below-a-map',
  'engine-mismatch',
  'nginx-refuses',
];
/** What test/unit/nginx-setup/check tries as well, from the text of a configuration: others like them are tried here. */
const READ_ALONE = [
  'include-misplaced',
  'include-not-found',
  'item-taken',
  'include-by-pattern',
  'server-conf-too-late',
  'capture-too-late',
  'never-reached',
  'line-buffered',
  'socket-differs',
];

let folder: string;
let remove: () => void;
let breaker: number;
beforeEach(async () => {
  ({ path: folder, remove } = temporaryFolder('check'));
  [breaker = 0] = await freePorts(1);
});
afterEach(() => remove());

type Engine = 'njs' | 'qjs';
type Break = () => void | Promise<void>;

describe.each(ENGINES)('check --nginx, with nginx of %s and %s', (suite, engine) => {
  let build: NginxBuild;
  beforeAll(async () => {
    build = await obtainNginx({ suite, report: () => {} });
  }, START_MS);

  test.each([
    ['shop', [['location /web/item/', 'redirect']]],
    [
      'in-place',
      [
        ['location /item/', 'in place'],
        ['location /product', 'in place'],
      ],
    ],
  ] as const)('has no finding for the example %s, and lists what captures', async (example, captures) => {
    await render({ build, engine, example });
    const report = await check(build, engine);

    expect(report.findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
    expect(report.captures.map(({ location, how }) => [location, how])).toEqual(captures);
    expect(report).toMatchObject({
      nginx: build.version,
      njs: { version: build.njs, quickjs: build.quickjs },
    });
  });

  test('has no finding for the transport log', async () => {
    await render({ build, engine });
    edit(/http\.conf"/, 'http-log.conf"');
    edit(/include .*server\.conf";/, '');
    edit(/include .*log-cut\.conf";/, '');
    edit(/capture-subrequest/, 'capture-log');
    const report = await check(build, engine);

    expect(report.findings).toEqual([]);
    expect(report.captures).toMatchObject([{ location: 'location /web/item/', transport: 'log' }]);
  });

  test('says which njs the transport batch needs, and has no finding with that one', async () => {
    await render({ build, engine });
    edit(/include (.*)http\.conf";/, 'include $1http.conf";\ninclude $1http-batch.conf";');
    edit(/capture-subrequest/, 'capture-batch');
    const report = await check(build, engine);
    const ids = report.findings.filter(({ severity }) => severity !== 'note').map(({ id }) => id);

    expect(ids).toEqual(build.njs === '0.7.9' ? ['nginx-refuses', 'njs-too-old'] : []);
    expect(report.captures).toMatchObject([{ location: 'location /web/item/', transport: 'batch' }]);
  });

  const breaks: [id: string, text: string, spoil: Break][] = [
    ['module-not-loaded', '# A complete nginx.conf', () => edit(/^load_module.*$/m, '')],
    ['include-twice', 'http.conf"', () => edit(/(include .*http\.conf";)/, '$1\n$1')],
    ['include-misplaced', 'http.conf"', () => edit(/(include .*)server\.conf";/, '$1http.conf";')],
    ['include-missing', 'server {', () => edit(/include .*\/server\.conf";/, '')],
    ['include-not-found', 'items.conf"', () => rmSync(join(folder, 'hotitem/items.conf'))],
    [
      'item-taken',
      'location ~*',
      () => edit(/(include .*\/server\.conf";)/, '$1\nlocation ~* \\.(css|html)$ { expires 1h; }'),
    ],
    [
      'item-taken',
      'location ~ ',
      () => edit(/(include .*capture-subrequest.*)/, '$1\nlocation ~ \\.html$ { expires 1h; }'),
    ],
    [
      'include-too-late',
      'http.conf',
      () => {
        edit(/(include .*\/)http\.conf";/, '');
        edit(/\n}\s*$/, `\ninclude "${join(folder, 'hotitem/http.conf')}";\n}\n`);
      },
    ],
    ['include-by-pattern', 'hotitem/*.conf', () => edit(/(include .*\/)http\.conf";/, '$1*.conf";')],
    ['below-a-map', 'map_hash', () => edit(/(http\.conf";)/, '$1\nmap_hash_bucket_size 128;')],
    ['server-conf-too-late', 'set $app', () => edit(/(include .*\/server\.conf";)/, 'set $app $uri;\n$1')],
    ['capture-too-late', 'return 204', () => edit(/(include .*capture-subrequest.*)/, 'return 204;\n$1')],
    ['never-reached', 'limit_conn a', () => edit(/(capture-subrequest\.conf";)/, '$1\nlimit_conn a 9;')],
    [
      'line-to-syslog',
      'access_log',
      () => edit(/(http\.conf";)/, '$1\naccess_log syslog:server=127.0.0.1:9 hotitem;'),
    ],
    [
      'line-buffered',
      'access_log',
      () => edit(/(http\.conf";)/, '$1\naccess_log /var/$host.log hotitem buffer=4k;'),
    ],
    ['root-missing', 'root ', () => edit(/root "[^"]*"/, 'root "/none/such"', 'hotitem/server.conf')],
    ['spill-differs', 'access_log ', () => edit(/spill/g, 'spoil', 'hotitem/server.conf')],
    ['socket-differs', 'upstream', () => edit(/intake\.sock/, 'other.sock', 'hotitem/http.conf')],
    ['socket-is-none', 'upstream', () => writeFileSync(join(folder, 'intake.sock'), '')],
    ['spill-not-writable', 'access_log ', () => edit(/^(user .*|worker_processes)/m, 'user nobody;\n$1')],
    [
      'worker-user-unknown',
      'user hotitem-nobody-here',
      () => edit(/^(user .*|worker_processes)/m, 'user hotitem-nobody-here;\n$1'),
    ],
    ['engine-mismatch', 'js_', () => swapBundles(engine)],
    ['nginx-refuses', 'gzap', () => edit(/^(worker_processes)/m, 'gzap on;\n$1')],
    ['not-understood', '}', () => edit(/\s*$/, '\n}\n')],
  ];
  const tried = breaks.filter(
    ([id]) => FULL || ASKED_OF_NGINX.includes(id) || (suite === 'trixie' && !READ_ALONE.includes(id)),
  );
  test.each(tried)('reports %s, at the line with %s', async (id, text, spoil) => {
    await render({ build, engine });
    await spoil();
    const { findings } = await check(build, engine);
    const finding = findings.find((one) => one.id === id);

    expect(findings.map((one) => one.id)).toContain(id);
    expect(finding?.severity).not.toBe('note');
    expect(lineAt(finding?.where)).toContain(text);
  });
});

describe('check --nginx', () => {
  let build: NginxBuild;
  beforeAll(async () => {
    build = await obtainNginx({ suite: 'trixie', report: () => {} });
  }, START_MS);

  test('notes that capture is off', async () => {
    await render({ build });
    await edit(/http\.conf"/, 'off.conf"');

    expect((await check(build)).findings).toMatchObject([{ id: 'capture-off', severity: 'note' }]);
  });

  test('has only notes before the first start of the sidecar, which creates its folders', async () => {
    await render({ build });
    rmSync(join(folder, 'spill'), { recursive: true });
    const { findings } = await check(build);

    expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
    expect(findings.map(({ id }) => id)).toContain('root-missing');
  });

  test('says that views are lost, not spilled, where nginx can use neither the socket nor the folder', async () => {
    await render({ build });
    edit(/^(user .*|worker_processes)/m, 'user nobody;\n$1');
    const socket = createServer().listen(join(folder, 'intake.sock'));
    try {
      await once(socket, 'listening');
      chmodSync(join(folder, 'intake.sock'), 0o600);
      const { findings } = await check(build);
      const { why, fix } = findings.find(({ id }) => id === 'socket-not-writable') ?? {};
      expect(why).toMatch(/all views are lost, as they cannot be spilled either$/);
      expect(fix).toContain('a chgrp of the socket lasts until its next start');
    } finally {
      socket.close();
    }
  });

  test('finds a root that is not there where requests for hot items are logged', async () => {
    await render({ build, example: 'protect' });
    await edit(/root "[^"]*";/, 'root "/none/such";');
    const { findings } = await check(build);

    const finding = findings.find(({ id }) => id === 'root-missing');
    expect(finding?.what).toBe('the root /none/such does not exist');
    expect(lineAt(finding?.where)).toContain('root "/none/such"');
  });

  test('notes an edited include, and says where to make such changes', async () => {
    await render({ build });
    edit(/max_conns=3/, 'max_conns=32', 'hotitem/http.conf');

    expect((await check(build)).findings).toContainEqual(
      expect.objectContaining({
        id: 'include-edited',
        severity: 'note',
        what: `http.conf was edited after hotitem ${await installedVersion()} wrote it`,
        fix: expect.stringContaining('hotitem.yml'),
        command: `hotitem nginx install --dir ${folder}/hotitem && nginx -t && nginx -s reload`,
      }),
    );
  });

  test.each([
    ['of another version', /"\d[^"]*";/, '"0.0.1";', 'of hotitem 0.0.1, and this is VERSION: http.conf'],
    [
      'of a version that does not say so',
      /[\s\S]*/,
      '',
      'of an older hotitem, or edited, and this is VERSION: http.conf',
    ],
  ])('warns about an include %s', async (_, from, to, what) => {
    await render({ build });
    writeFileSync(join(folder, 'hotitem/http.conf'), 'map "" $hotitem_older { default ""; }\n', {
      flag: 'a',
    });
    edit(/[0-9a-f]{64} http\.conf/, `${sumOf('hotitem/http.conf')} http.conf`, 'hotitem/version.conf');
    edit(from, to, 'hotitem/version.conf');

    expect((await check(build)).findings).toContainEqual(
      expect.objectContaining({
        id: 'include-old',
        severity: 'warning',
        what: what.replace('VERSION', await installedVersion()),
        command: `hotitem nginx install --dir ${folder}/hotitem && nginx -t && nginx -s reload`,
      }),
    );
  });

  test('warns about settings that were changed since the includes were written', async () => {
    await render({ build });
    const { findings } = await check(build, 'njs', { maxConns: 32, timeoutMs: 100 });

    expect(findings).toContainEqual(
      expect.objectContaining({
        id: 'include-settings',
        what: 'differ from the configuration: http.conf, server.conf',
      }),
    );
  });

  test('finds nothing in includes of another version with the same content', async () => {
    await render({ build });
    edit(/"\d[^"]*";/, '"0.0.1";', 'hotitem/version.conf');
    edit(/$/, '# one comment more\n', 'hotitem/http.conf');

    expect((await check(build)).findings.map(({ id }) => id)).toEqual(['socket-not-there']);
  });

  test.each([200, 503])(
    "finds another program that answers at the breaker's address with %i",
    async (status) => {
      await render({ build });
      const other = createServer((_, response) => response.writeHead(status).end('hello'));
      await new Promise<void>((resolve) => other.listen(breaker, '127.0.0.1', resolve));
      try {
        expect((await check(build)).findings).toContainEqual(
          expect.objectContaining({
            id: 'breaker-taken',
            what: expect.stringContaining(`(with ${status}): node, process ${process.pid}`),
            command: expect.stringMatching(
              /^hotitem nginx install --dir \S+ --breaker 127\.0\.0\.1:\d+ && nginx -t/,
            ),
          }),
        );
      } finally {
        other.close();
      }
    },
  );

  test('finds a socket that the workers cannot use', async () => {
    await render({ build });
    const sidecar = createStandIn(join(folder, 'intake.sock'));
    await sidecar.start();
    try {
      chmodSync(folder, 0o755);
      chmodSync(join(folder, 'intake.sock'), 0o600);
      edit(/^(user .*|worker_processes)/m, 'user nobody;\n$1');

      expect((await check(build)).findings).toContainEqual(
        expect.objectContaining({
          id: 'socket-not-writable',
          why: expect.stringContaining('mode 0600'),
          command: expect.stringMatching(/^chgrp \d+ (\S+) && chmod g\+rw \1$/),
        }),
      );
    } finally {
      await sidecar.stop();
    }
  });

  test('finds a folder that the workers cannot enter, also before the sidecar has created anything in it', async () => {
    await render({ build });
    const closed = join(folder, 'closed');
    chmodSync(folder, 0o755);
    mkdirSync(closed, { mode: 0o700 });
    edit(/[^:]*intake\.sock/g, join(closed, 'run/intake.sock'), 'hotitem/http.conf');
    edit(/^(user .*|worker_processes)/m, 'user nobody;\n$1');

    expect((await check(build)).findings).toContainEqual(
      expect.objectContaining({
        id: 'socket-not-writable',
        why: expect.stringContaining(`${closed} (uid ${process.getuid?.()}`),
      }),
    );
  });

  test.each<[string, string, Break]>([
    [
      'hot-differs',
      'server-hot.conf',
      () => edit(/\/hot\/\$hotitem_lease/, '/other/$hotitem_lease', 'hotitem/server-hot.conf'),
    ],
    [
      'hot-not-readable',
      'server-hot.conf',
      () => {
        chmodSync(folder, 0o755);
        mkdirSync(join(folder, 'hot'), { mode: 0o700 });
        edit(/^(user .*|worker_processes)/m, 'user nobody;\n$1');
      },
    ],
    [
      'hot-behind-link',
      'disable_symlinks',
      () => {
        mkdirSync(join(folder, 'real'));
        symlinkSync(join(folder, 'real'), join(folder, 'hot'));
        edit(/(http\.conf";)/, '$1\ndisable_symlinks on;');
      },
    ],
    [
      'hot-never-looked',
      'rewrite',
      () => edit(/(include .*server-hot\.conf";)/, 'rewrite ^/de /x last;\n$1'),
    ],
  ])('reports %s of the hot list, at the line with %s', async (id, text, spoil) => {
    await render({ build });
    await spoil();
    const finding = (await check(build)).findings.find((one) => one.id === id);

    expect(finding?.severity).toMatch(/^(error|warning)$/);
    expect(lineAt(finding?.where)).toContain(text);
  });

  test('notes that a running sidecar has no hot list', async () => {
    await render({ build });
    const sidecar = createStandIn(join(folder, 'intake.sock'));
    await sidecar.start();
    try {
      expect((await check(build)).findings).toContainEqual(
        expect.objectContaining({ id: 'hot-not-there', severity: 'note' }),
      );
    } finally {
      await sidecar.stop();
    }
  });

  test('exits 0, or 1 if something must be changed, and prints the findings as JSON', async () => {
    await render({ build });
    const good = await hotitem();
    expect([good.code, good.stdout]).toEqual([0, expect.stringContaining('Nothing to change, 1 note.')]);
    edit(/include .*\/server\.conf";/, 'access_log syslog:server=127.0.0.1:9 hotitem;');
    const { code, stdout } = await hotitem(['--json']);
    const { findings }: NginxReport = JSON.parse(stdout);
    expect([code, findings.map(({ id }) => id).sort()]).toEqual([
      1,
      ['include-missing', 'line-to-syslog', 'socket-not-there'],
    ]);
  });

  test('accepts findings by --accept, and exits 1 on warnings only with --strict', async () => {
    await render({ build });
    edit(/include .*\/server\.conf";/, 'access_log syslog:server=127.0.0.1:9 hotitem;');
    const both = ['--accept', 'include-missing', '--accept', 'line-to-syslog'];
    expect(await hotitem(both.slice(0, 2))).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('1 error, 0 warnings'),
    });
    expect(await hotitem(both)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Nothing to change, 1 note, 2 accepted.'),
    });

    await render({ build });
    edit(/http\.conf";/, 'http.conf"; set_real_ip_from 0.0.0.0/0;');
    expect(await hotitem()).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('[trusts-everybody]'),
    });
    expect(await hotitem(['--strict'])).toMatchObject({ code: 1 });
    if (FULL) expect(await hotitem(['--strict', '--accept', 'trusts-everybody'])).toMatchObject({ code: 0 });
  });

  /** As an operator calls it; the private nginx needs more than a path, so it gets a program of its own. */
  function hotitem(more: string[] = []): Promise<Ran> {
    const program = join(folder, 'nginx');
    writeFileSync(program, `#!/bin/sh\nexec ${build.command.join(' ')} "$@"\n`, { mode: 0o755 });
    const own = ['--nginx-conf', join(folder, 'nginx.conf'), '--home', folder];
    const breakerAt = ['--nginx-breaker', `127.0.0.1:${breaker}`];
    const paths = ['--intake-socket', 'intake.sock', '--spill-dir', 'spill', ...breakerAt];
    return run(process.execPath, [PROGRAM, 'check', '--nginx', program, ...own, ...paths, ...more], {
      cwd: folder,
    });
  }
});

type Rendered = { build: NginxBuild; engine?: Engine; example?: 'shop' | 'in-place' | 'protect' };

async function render({ build, engine = 'njs', example = 'shop' }: Rendered): Promise<void> {
  const [port, keeper] = await freePorts(2);
  mkdirSync(join(folder, 'spill'), { mode: 0o750, recursive: true });
  await renderShop({
    keeper: `127.0.0.1:${keeper}`,
    cache: join(folder, 'kept'),
    folder,
    socket: join(folder, 'intake.sock'),
    spill: join(folder, 'spill'),
    engine,
    example,
    listen: `127.0.0.1:${port}`,
    breaker: `127.0.0.1:${breaker}`,
    ...(build.modules.js && { module: build.modules.js }),
    ...(process.getuid?.() === 0 && { user: 'root' }),
  });
}

function check(
  build: NginxBuild,
  engine: Engine = 'njs',
  more: Partial<IncludeSettings> = {},
): Promise<NginxReport> {
  return checkNginx({
    command: build.command,
    conf: join(folder, 'nginx.conf'),
    sidecar: {
      socket: join(folder, 'intake.sock'),
      spill: join(folder, 'spill'),
      breaker: `127.0.0.1:${breaker}`,
      engine,
      ...more,
    },
  });
}

function edit(from: RegExp, to: string, name = 'nginx.conf'): void {
  const path = join(folder, name);
  const text = readFileSync(path, 'utf8');
  if (text.search(from) === -1) throw new Error(`${name} holds no ${from}`);
  writeFileSync(path, text.replace(from, to));
}

function lineAt(where: Finding['where']): string | undefined {
  return where && readFileSync(where.file, 'utf8').split('\n')[where.line - 1];
}

function sumOf(name: string): string {
  return createHash('sha256')
    .update(readFileSync(join(folder, name)))
    .digest('hex');
}

function swapBundles(engine: Engine): void {
  const other = engine === 'njs' ? 'qjs' : 'njs';
  edit(new RegExp(`hotitem\\.${engine}\\.js`), `hotitem.${other}.js`, `hotitem/engine-${engine}.conf`);
}
