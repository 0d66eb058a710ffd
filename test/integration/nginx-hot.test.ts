import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHotFolder, type HotFolder, periodOf } from '../../heat/hot-folder.ts';
import { installNginx } from '../../nginx-setup/install.ts';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { type NginxPart, startNginx } from '../parts/nginx.ts';
import { temporaryPaths, WORKER_USER } from '../parts/nginx-conf.ts';
import { freePorts } from '../parts/ports.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { ask } from './nginx-ask.ts';

const START_MS = 300_000;
const TICK_MS = 100;

/** `none`: nginx alone, by the transport log. */
type Engine = 'njs' | 'qjs' | 'none';
const NGINX: [Suite, Engine][] = [
  ['trixie', 'njs'],
  ['trixie', 'none'],
];
const MORE: [Suite, Engine][] = [
  ['bookworm', 'njs'],
  ['bookworm', 'none'],
  ['sid', 'njs'],
  ['sid', 'qjs'],
  ['sid', 'none'],
];

type Site = {
  /** The folder of the hot list. */
  dir: string;
  nginx: NginxPart;
  /** Whether a page says that its item is hot. */
  isHot(path: string, host?: string): Promise<boolean>;
  close(): Promise<void>;
};

let site: Site;
let hot: HotFolder;

describe.each(FULL ? [...NGINX, ...MORE] : NGINX)('the hot list and nginx of %s with %s', (suite, engine) => {
  let ticking: NodeJS.Timeout;
  beforeAll(async () => {
    site = await startSite(await obtainNginx({ suite, report }), engine);
    hot = openHot();
    ticking = setInterval(hot.tick, TICK_MS);
  }, START_MS);
  afterAll(async () => {
    clearInterval(ticking);
    await site.close();
  });

  suiteWith(['nginx'])('agree:', () => {
    test('an item is hot from the next request on, and cold again, without a reload', async () => {
      expect(await site.isHot('/any/4711')).toBe(false);
      makeHot('4711');
      expect([await site.isHot('/any/4711'), await site.isHot('/any/4712')]).toEqual([true, false]);
      makeHot('4712');
      expect([await site.isHot('/any/4711'), await site.isHot('/any/4712')]).toEqual([false, true]);
      hot.freeze();
      expect(await site.isHot('/any/4712')).toBe(false);
    });

    test.each([
      ['4711', '/any/4711'],
      ['红色', '/any/%E7%BA%A2%E8%89%B2'],
      ['a b', '/any/a%20b'],
      ['a.b.html', '/any/a.b.html'],
      ['...', '/any/...'],
      ['none', '/any/none'],
      ['i.none', '/any/i.none'],
      ['%2F', '/any/%252F'],
      ['$uri"\\{;*?', '/any/$uri%22%5C%7B%3B*%3F'],
      ['--', '/any/--'],
      ['x'.repeat(200), `/any/${'x'.repeat(200)}`],
      // As the query has it, which nginx does not decode.
      ['.', '/asked?id=.'],
      ['..', '/asked?id=..'],
      ['a%2Fb', '/asked?id=a%2Fb'],
    ])('an item %j can be hot', async (item, path) => {
      expect(await site.isHot(path)).toBe(false);
      expect(makeHot(item)).toEqual(new Map());
      expect(await site.isHot(path)).toBe(true);
    });

    test('an item is hot on its own page only', async () => {
      makeHot('4711');
      expect(await site.isHot('/asked?id=4711')).toBe(true);
      expect(await site.isHot('/login?id=4711')).toBe(false);
    });

    test.each([
      ['rewrites to its page', '/web/any/4711'],
      ['looks for a file first', '/tried?id=4711'],
      ['hands on to a named location', '/tried/named?id=4711'],
      ['has numbered groups', '/numbered/4711'],
    ])('an item is hot in a location that %s', async (_, path) => {
      makeHot('4711');
      expect(await site.isHot(path)).toBe(true);
      makeHot('4712');
      expect(await site.isHot(path)).toBe(false);
    });

    test('an item is hot with open_file_cache, and cold after ten seconds at most', async () => {
      makeHot('cached');
      expect(await site.isHot('/any/cached', 'cached')).toBe(true);
      hot.freeze();
      if (!FULL) return;
      await until(async () => !(await site.isHot('/any/cached', 'cached')), {
        timeoutMs: 60_000,
        what: 'the item to be cold',
      });
    });
  });

  /** By what lies where nginx looks, whoever put it there. */
  suiteWith(['nginx'])('are not deceived:', () => {
    beforeEach(() => {
      // With a new period it would remove what is not of its own.
      clearInterval(ticking);
      hot.stop();
      for (const period of readdirSync(site.dir)) rmSync(join(site.dir, period), { recursive: true });
    });

    test.each([
      ['a page without an item', '/any/', ['i.', 'i.-', 'i.none']],
      ['a page of no item', '/any/-', ['i.-']],
      ['a path that is no page', '/nothing', ['i.none', 'i.nothing', 'i.-']],
      ['a name of 201 bytes', `/any/${'x'.repeat(201)}`, [`i.${'x'.repeat(201)}`, `i.${'x'.repeat(200)}`]],
      [
        'a name of 67 characters that are 201 bytes',
        `/any/${'%E7%BA%A2'.repeat(67)}`,
        [`i.${'红'.repeat(67)}`],
      ],
      ['a newline in it', '/any/a%0Ab', ['i.a\nb', 'i.a']],
      ['a newline at its end', '/any/a%0A', ['i.a\n', 'i.a']],
      ['a tab in it', '/any/a%09', ['i.a\t', 'i.a']],
      ['DEL', '/any/a%7F', ['i.a\x7f', 'i.a']],
      ['a slash that was encoded', '/any/a%2Fb', ['i.a/b', 'i.b', 'i.a%2Fb']],
      ['a slash in the query', '/asked?id=a/b', ['i.a/b', 'i.b']],
      ['a way out of the folder', '/asked?id=/../../../outside', ['i./x', '../../outside']],
      ['a way back into it', '/asked?id=/../i.4711', ['i./x', 'i.4711']],
      ['a folder', '/asked?id=folder', ['i.folder/x']],
      ['a name without i.', '/any/4711', ['4711']],
    ])('%s is not hot', async (_, path, files) => {
      for (const file of ['i.control', ...files]) plant(file);
      expect([await site.isHot('/any/control'), await site.isHot(path)]).toEqual([true, false]);
    });

    test('a link to nothing is not hot', async () => {
      plant('i.control');
      symlinkSync('/nonexistent', join(actionFolder(0), 'i.link'));
      expect(await site.isHot('/any/link')).toBe(false);
    });

    test('a file of the previous period is not hot', async () => {
      plant('i.gone', [-1]);
      expect(await site.isHot('/any/gone')).toBe(false);
    });
  });

  suiteWith(['nginx'])('without a sidecar:', () => {
    if (FULL) {
      test('nothing is hot twenty seconds after the sidecar was killed', async () => {
        hot = openHot();
        makeHot('dead');
        const died = periodOf(Date.now());
        const isHot: number[] = [];
        await until(
          async () => {
            const period = periodOf(Date.now());
            if (!(await site.isHot('/any/dead'))) return true;
            isHot.push(period - died);
            return false;
          },
          { timeoutMs: 60_000, what: 'it to be cold' },
        );
        expect(periodOf(Date.now()) - died).toBeGreaterThanOrEqual(2);
        expect(Math.max(...isHot)).toBeLessThanOrEqual(1);
      });
    }

    test('nothing is hot without the folder, and nothing is logged', async () => {
      makeHot('4711');
      hot.stop();
      expect(await site.isHot('/any/4711')).toBe(false);
      const errors = (await site.nginx.errorLog())
        .split('\n')
        .filter((line) => !line.includes('intake.sock'));
      expect(errors.join('\n')).not.toMatch(/\[(?:warn|error|crit|alert|emerg)\]/);
    });
  });
});

function openHot(): HotFolder {
  return createHotFolder({ dir: site.dir, now: Date.now, warn: () => {} });
}

function makeHot(...items: string[]): Map<string, string> {
  return hot.update(items.map((item) => ({ item, actions: [] })));
}

/** In this period and the next, unless others are named: nobody knows how long a busy machine takes to ask. */
function plant(name: string, periods = [0, 1]): void {
  for (const period of periods) {
    const path = join(actionFolder(period), name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, '');
  }
}

function actionFolder(periods: number): string {
  return join(site.dir, String(periodOf(Date.now()) + periods), 'hot');
}

async function startSite(build: NginxBuild, engine: Engine): Promise<Site> {
  const { path: folder, remove } = temporaryFolder('hot');
  const [port = 0, breaker] = await freePorts(2);
  const [home, pages, dir] = [join(folder, 'hotitem'), join(folder, 'pages'), join(folder, 'hot')];
  const settings = { socket: join(folder, 'intake.sock'), spill: join(folder, 'spill'), hot: dir };
  for (const made of [pages, settings.spill]) mkdirSync(made);
  writeFileSync(join(pages, 'page.html'), 'page\n');
  await installNginx({
    ...settings,
    dir: home,
    breaker: `127.0.0.1:${breaker}`,
    ...(engine !== 'none' && { engine }),
  });
  writeFileSync(join(home, 'items.conf'), ITEMS);
  const include = (name: string) => `include "${join(home, name)}";`;
  const item = `${include(engine === 'none' ? 'capture-log.conf' : 'capture-subrequest.conf')} ${include('hot.conf')}`;
  const config = join(folder, 'nginx.conf');
  writeFileSync(
    config,
    `${engine === 'none' || build.modules.js === undefined ? '' : `load_module "${build.modules.js}";`}
    ${WORKER_USER}
    worker_processes 1;
    pid nginx.pid;
    events { worker_connections 128; }
    http {
      ${include(engine === 'none' ? 'http-log.conf' : 'http.conf')}
      ${include('http-hot.conf')}
      access_log off;
      log_not_found off;
      root "${pages}";
      ${temporaryPaths()}
      add_header X-Hotitem-Hot $hotitem_hot always;
      ${serverOf('shop', '')}
      ${serverOf('cached', 'open_file_cache max=100; open_file_cache_valid 60s;')}
    }`,
  );
  const nginx = await startNginx({ build, prefix: folder, config });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return { dir, nginx, isHot, close };

  function serverOf(name: string, more: string): string {
    return `server {
      listen 127.0.0.1:${port};
      server_name ${name};
      ${more}
      ${engine === 'none' ? '' : include('server.conf')}
      ${include('server-hot.conf')}
      location /any/ { ${item} return 200 any; }
      location /asked { ${item} return 200 asked; }
      location /login { return 200 login; }
      location /web/ { rewrite ^/web(/any/.*)$ $1 last; }
      location = /tried { ${item} try_files $uri /page.html; }
      location = /tried/named { ${item} try_files $uri @named; }
      location @named { return 200 named; }
      location ~ ^/numbered/(.+)$ { ${item} try_files /none/$1 /page.html; }
    }`;
  }

  async function isHot(path: string, host = 'shop'): Promise<boolean> {
    const { headers } = await ask({ port, path, headers: { host }, agent });
    const said = headers['x-hotitem-hot'];
    if (said !== undefined && said !== '1') throw new Error(`nginx says of ${path} that it is ${said}`);
    return said === '1';
  }

  async function close(): Promise<void> {
    agent.destroy();
    await nginx.close();
    remove();
  }
}

const ITEMS = `map $uri $hotitem_item {
  "~^(?:/web)?/(?:any|numbered)/(?<hotitem_any>[^/]*)$" $hotitem_any;
  default $arg_id;
}
`;
