import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fromLine } from '../../event/from-line.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { type PhpFpmPart, startPhpFpm } from '../parts/php-fpm.ts';
import { askOnce } from '../parts/service.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { obtainPhpFpm } from '../provision/php-fpm.ts';
import { PATIENT, startShop, type TestShop } from './nginx-shop.ts';
import { chooseTransport } from './transport.ts';

const START_MS = 300_000;
const SUITES: Suite[] = FULL ? ['bookworm', 'trixie', 'sid'] : ['trixie'];
/** Tells what it was asked, and keeps an account of it: so does a shop's front controller, whose visits cost. */
const FRONT_CONTROLLER = `<?php
$seen = [$_SERVER['REQUEST_METHOD'], $_SERVER['REQUEST_URI'], $_COOKIE['session'] ?? '', file_get_contents('php://input')];
file_put_contents(__DIR__ . '/seen', json_encode($seen, JSON_UNESCAPED_SLASHES) . "\\n", FILE_APPEND | LOCK_EX);
header('Content-Type: text/html');
echo implode(' ', $seen);
`;
const PRESET = `
map "$arg_route/$arg_product_id" $hotitem_item_asked {
    "~^product/product/(?<hotitem_number>\\d+)$" $hotitem_number;
    default "-";
}
map $uri $hotitem_item {
    "~^/product/(?<hotitem_slug>[^/]+)/?$" $hotitem_slug;
    default $hotitem_item_asked;
}
`;

for (const suite of SUITES) {
  suiteWith(['nginx', 'php-fpm'])(`a shop in PHP behind nginx of ${suite}`, () => {
    let php: PhpFpmPart;
    let shop: TestShop;
    let pages: string;
    let removeFolder: () => void;
    /** Of the tests before: batch posts a line again where its answer was late. */
    const former = new Set<string>();

    beforeAll(async () => {
      const { path: folder, remove } = temporaryFolder('php');
      removeFolder = remove;
      pages = join(folder, 'pages');
      await mkdir(join(pages, 'css'), { recursive: true });
      await writeFile(join(pages, 'index.php'), FRONT_CONTROLLER);
      await writeFile(join(pages, 'css/shop.css'), 'body {}');
      php = await startPhpFpm(await obtainPhpFpm({ report: () => {} }), folder);
      const build = await obtainNginx({ suite, report: () => {} });
      shop = await startShop({ build, example: 'php-fpm', pages, php: php.socket, waits: PATIENT });
      await appendFile(join(shop.folder, 'hotitem/items.conf'), PRESET);
      await shop.nginx.reload();
      await shop.sidecar.start();
    }, START_MS);
    beforeEach(async () => {
      for (const line of linesOf(shop)) former.add(line);
      shop.sidecar.kept.length = 0;
      await writeFile(join(pages, 'seen'), '');
    });
    afterAll(async () => {
      await shop?.close();
      await php?.stop();
      removeFolder?.();
    });

    // Where batch cannot be had there is the subrequest alone, which is the example's own.
    const transports = suite === 'bookworm' ? (['subrequest'] as const) : (['subrequest', 'batch'] as const);
    describe.each(transports)('by %s', (transport) => {
      beforeAll(async () => {
        if (transport === 'subrequest') return;
        await chooseTransport(join(shop.folder, 'nginx.conf'), transport);
        await shop.nginx.reload();
      });

      test.each([
        ['GET', '/product/album/?from=mail', { item: 'album', uri: '/product/album/', args: 'from=mail' }],
        ['POST', '/product/album/', { item: 'album', kind: 'other' }],
        ['GET', '/index.php?route=product/product&product_id=40', { item: '40', uri: '/index.php' }],
        ['GET', '/?route=product/product&product_id=41', { item: '41', uri: '/' }],
      ] as const)(
        '%s %s: the front controller runs once, and the view is captured once',
        async (method, path, event) => {
          const body = method === 'POST' ? 'quantity=1&add-to-cart=21' : '';
          const reply = await get(path, { method, body });

          expect(reply).toEqual({ status: 200, body: `${method} ${path} s3cret ${body}` });
          expect(await events(1)).toMatchObject([{ ...event, method }]);
          expect(await seen()).toEqual([[method, path, 's3cret', body]]);
        },
      );

      test.each(['/', '/cart/', '/index.php?route=checkout/cart', '/css/shop.css', '/css/none.css'])(
        '%s shows no item and is not captured',
        async (path) => {
          expect((await get(path)).status).toBe(200);
          await get('/product/last/');

          expect(await events(1)).toMatchObject([{ item: 'last' }]);
        },
      );
    });

    async function get(path: string, { method = 'GET', body = '' } = {}) {
      const headers = {
        cookie: 'session=s3cret',
        ...(body !== '' && { 'content-type': 'application/x-www-form-urlencoded' }),
      };
      const reply = await askOnce(`http://127.0.0.1:${shop.port}${path}`, {
        method,
        headers,
        ...(body !== '' && { body }),
      });
      return { status: reply.status, body: await reply.text() };
    }

    /** What the sidecar has, once there are that many. */
    async function events(count: number): Promise<object[]> {
      const lines = () => [...new Set(linesOf(shop).filter((line) => !former.has(line)))];
      await until(() => lines().length >= count, {
        timeoutMs: 60_000,
        what: `${count} lines`,
        detail: shop.nginx.errorLog,
      });
      return lines().map((line) => fromLine(line, 'web-1'));
    }

    async function seen(): Promise<string[][]> {
      const text = await readFile(join(pages, 'seen'), 'utf8');
      return text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as string[]);
    }
  });
}

function linesOf({ sidecar }: TestShop): string[] {
  return sidecar.kept.flatMap((kept) => kept.split('\n')).filter((line) => line !== '');
}
