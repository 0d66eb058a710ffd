import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { fromLine } from '../../event/from-line.ts';
import { nginxTemplate } from '../../nginx-setup/includes.ts';
import { installNginx } from '../../nginx-setup/install.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { type NginxPart, startNginx } from '../parts/nginx.ts';
import { temporaryPaths, WORKER_USER } from '../parts/nginx-conf.ts';
import { freePort } from '../parts/ports.ts';
import { askOnce } from '../parts/service.ts';
import { suiteWith } from '../parts/suite.ts';
import { PRESETS, type Shown } from './nginx-presets-urls.ts';

const START_MS = 300_000;
const SUITES: Suite[] = FULL ? ['bookworm', 'trixie', 'sid'] : ['trixie'];

for (const suite of SUITES) {
  suiteWith(['nginx'])(`the presets of items.conf on nginx of ${suite}`, () => {
    let nginx: NginxPart;
    let port: number;
    let items: string;
    let current: string;
    let remove: () => void;

    beforeAll(async () => {
      const build = await obtainNginx({ suite, report: () => {} });
      const folder = temporaryFolder('presets');
      remove = folder.remove;
      port = await freePort();
      const dir = join(folder.path, 'hotitem');
      items = join(dir, 'items.conf');
      await installNginx({
        dir,
        socket: join(folder.path, 'intake.sock'),
        spill: join(folder.path, 'spill'),
      });
      const config = join(folder.path, 'nginx.conf');
      await writeFile(config, confOf({ dir, port }));
      nginx = await startNginx({ build, prefix: folder.path, config });
    }, START_MS);
    afterAll(async () => {
      await nginx?.close();
      remove?.();
    });

    test('are all tested here', async () => {
      const text = await nginxTemplate('items.conf');
      expect([...text.matchAll(/^# == ([\w ]+):/gm)].map(([, name]) => name)).toEqual(Object.keys(PRESETS));
    });

    describe.each(Object.keys(PRESETS))('%s', (name) => {
      const shown = new Map<string, Shown>();
      beforeAll(async () => {
        await reload(uncommented(name));
        for (const [asked] of PRESETS[name] ?? []) shown.set(asked, await itemOf(asked));
      });

      test.each(PRESETS[name] ?? [])('%s shows %p', (asked, item) => {
        expect(shown.get(asked)).toBe(item);
      });
    });

    test('without a preset, a page without an item is captured by its path', async () => {
      await reload((text) => text);

      expect(await itemOf('/web/item/4711.html')).toBe('4711');
      expect(await itemOf('/product/album/')).toBe('/product/album/');
    });

    test.each([
      [{ 'sec-purpose': 'prefetch', purpose: 'prefetch' }, ''],
      [{ 'sec-purpose': 'prefetch' }, ''],
      [{ 'sec-purpose': 'prefetch;anonymous-client-ip' }, ''],
      [{ 'sec-purpose': 'prefetch;prerender' }, 'prefetch'],
      [{ 'sec-purpose': 'prefetch', range: 'bytes=0-' }, 'prefetch'],
      [{ purpose: 'prefetch' }, 'prefetch'],
      [{ 'x-purpose': 'preview' }, 'prefetch'],
      [{ range: 'bytes=0-' }, 'part'],
      [{}, ''],
    ])('with the map for conservative speculation rules, %j is %j', async (headers, purpose) => {
      await reload(variableUncommented('purpose'));

      const line = await lineOf('/web/item/1.html', headers);
      expect(line.split('\t').at(-3)).toBe(purpose);
    });

    test('with the visitor map, a visitor is a part of the cookie that is not a login', async () => {
      await reload(variableUncommented('visitor'));

      const line = await lineOf('/web/item/1.html', { cookie: 'a=b; PHPSESSID=el4ukv0kqbvoirg7nkp4dncpk3' });
      expect(line.split('\t').at(-2)).toBe('el4ukv0kqbvo');
      expect((await lineOf('/web/item/1.html', { cookie: 'PHPSESSID=short' })).split('\t').at(-2)).toBe('');
    });

    async function reload(edit: (text: string) => string): Promise<void> {
      const edited = edit(await nginxTemplate('items.conf'));
      if (edited === current) return;
      await writeFile(items, edited);
      await nginx.reload();
      current = edited;
    }

    /** As the sidecar has it; null where nginx makes no line. */
    async function itemOf(asked: string): Promise<Shown> {
      const line = await lineOf(asked);
      if (line === '') return null;
      const event = fromLine(line, 'web-1');
      if ('reason' in event) throw new Error(`${event.reason}: ${line}`);
      return event.item;
    }

    async function lineOf(asked: string, headers: Record<string, string> = {}): Promise<string> {
      const reply = await askOnce(`http://127.0.0.1:${port}${asked}`, { headers });
      expect(reply.status).toBe(200);
      return Buffer.from(await reply.arrayBuffer()).toString('latin1');
    }
  });
}

/** A page is its line. */
function confOf({ dir, port }: { dir: string; port: number }): string {
  return `${WORKER_USER}
pid nginx.pid;
events {
}
http {
    include "${join(dir, 'http-log.conf')}";
    ${temporaryPaths()}
    server {
        listen 127.0.0.1:${port};
        access_log off;
        location / {
            include "${join(dir, 'capture-log.conf')}";
            return 200 $hotitem_logged;
        }
    }
}
`;
}

/** items.conf with what stands under a heading as an operator uncomments it. */
function uncommented(name: string): (text: string) => string {
  return (text) => {
    const [before = '', rest = ''] = text.split(`# == ${name}:`);
    const end = rest.search(/^# (?:==|\$hotitem)/m);
    return `${before}# == ${name}:${uncomment(rest.slice(0, end))}${rest.slice(end)}`;
  };
}

/** items.conf with the map of a variable uncommented. */
function variableUncommented(name: string): (text: string) => string {
  return (text) =>
    text.replace(new RegExp(`^#map .* \\$hotitem_${name} \\{[\\s\\S]*?^#\\}$`, 'm'), uncomment);
}

/** The maps in it. */
function uncomment(text: string): string {
  const maps = text.replace(/^#map [\s\S]*?^#\}$/gm, (map) => map.replace(/^#/gm, ''));
  expect(maps).not.toBe(text);
  return maps;
}
