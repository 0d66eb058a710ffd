import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import { FULL } from '../parts/full.ts';
import { until } from '../parts/until.ts';
import { fieldsOf } from './nginx-line.ts';
import { PATIENT, startShop, type TestShop } from './nginx-shop.ts';

const START_MS = 300_000;

let shop: TestShop;
afterEach(() => shop?.close());

/** Of the one in between, every other suite has something to say. */
const OLDEST_AND_NEWEST: [Suite, 'njs' | 'qjs'][] = [
  ['bookworm', 'njs'],
  ['sid', 'qjs'],
];
const BETWEEN: [Suite, 'njs' | 'qjs'][] = [
  ['trixie', 'njs'],
  ['sid', 'njs'],
];

describe.each(FULL ? [...OLDEST_AND_NEWEST, ...BETWEEN] : OLDEST_AND_NEWEST)(
  'nginx of %s with %s',
  (suite, engine) => {
    let build: NginxBuild;
    beforeAll(async () => {
      build = await obtainNginx({ suite, report: () => {} });
    }, START_MS);

    test.each(['shop', 'in-place'] as const)('accepts the example %s, and with off.conf', async (example) => {
      shop = await startShop({ build, engine, example, waits: PATIENT });
      expect(await shop.nginx.test()).toMatchObject({
        ok: true,
        output: expect.not.stringMatching(/\[(warn|error)\]/),
      });

      await switchOff(shop);
      expect(await shop.nginx.test()).toMatchObject({
        ok: true,
        output: expect.not.stringMatching(/\[(warn|error)\]/),
      });
    });

    test('captures, and spills while the sidecar is unavailable', async () => {
      shop = await startShop({ build, engine, waits: PATIENT });
      await shop.sidecar.start();
      const [first, second] = ['/web/item/a%3F%0A..%2F%FF//b.html?x=1?y', '/web/item/4711.html'];

      await shop.get(first);
      await until(() => shop.sidecar.kept.length === 1, {
        timeoutMs: 60_000,
        what: 'the line',
        detail: shop.nginx.errorLog,
      });
      await shop.sidecar.stop();
      expect((await shop.get(second)).status).toBe(200);
      await until(async () => (await shop.spilled()).length === 1, { timeoutMs: 60_000, what: 'the spill' });

      expect(fieldsOf(shop.sidecar.kept[0]).uri).toBe(first);
      expect(fieldsOf((await shop.spilled())[0])).toMatchObject({ uri: second, item: '4711' });
      expect(await shop.nginx.errorLog()).not.toMatch(/\[(alert|emerg)\]|exception/);
    });

    test('captures in place, static and proxied, with the requested URI', async () => {
      shop = await startShop({ build, engine, example: 'in-place', waits: PATIENT });
      await shop.sidecar.start();

      const page = await shop.get('/item/4711.html');
      const product = await shop.get('/product?id=4712&x=%2F%3F', { method: 'POST', body: 'amount=2' });
      await until(() => shop.sidecar.kept.length === 2, {
        timeoutMs: 60_000,
        what: 'two lines',
        detail: shop.nginx.errorLog,
      });

      expect([page.status, product.body]).toEqual([200, 'POST /product?id=4712&x=%2F%3F']);
      expect(shop.origin.asked[0]?.body).toBe('amount=2');
      expect(shop.sidecar.kept.map((line) => fieldsOf(line).item)).toEqual(['4711', '4712']);
    });

    test('captures nothing with off.conf, and again with http.conf', async () => {
      shop = await startShop({ build, engine, waits: PATIENT });
      await shop.sidecar.start();

      await switchOff(shop);
      await shop.nginx.reload();
      expect((await shop.get('/web/item/4711.html?x=1')).status).toBe(200);
      await switchOn(shop);
      await shop.nginx.reload();
      await shop.get('/web/item/4712.html');
      await until(() => shop.sidecar.kept.length > 0, {
        timeoutMs: 60_000,
        what: 'a line',
        detail: shop.nginx.errorLog,
      });

      expect(shop.sidecar.arrived.map(({ body }) => fieldsOf(body).item)).toEqual(['4712']);
      expect(await shop.spilled()).toEqual([]);
    });
  },
);

function switchOff({ edit }: TestShop): Promise<void> {
  return edit('/http.conf"', '/off.conf"');
}

function switchOn({ edit }: TestShop): Promise<void> {
  return edit('/off.conf"', '/http.conf"');
}
