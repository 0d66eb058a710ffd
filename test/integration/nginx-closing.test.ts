import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { obtainNginx } from '../../provision/nginx.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { exchange } from './nginx-requests-wire.ts';
import { startShop, type TestShop } from './nginx-shop.ts';
import { chooseTransport } from './transport.ts';

/** What nginx writes when it gives the subrequest up, 150 ms after it was sent. */
const GIVEN_UP = 'upstream timed out';

suiteWith(['nginx'])('an answer that ends by closing the connection, while the sidecar hangs', () => {
  let shop: TestShop;
  afterEach(() => shop?.close());

  describe.each([
    ['HTTP/1.0', 'GET /web/item/4711.html HTTP/1.0\r\n\r\n'],
    [
      'HTTP/1.1 with Connection: close',
      'GET /web/item/4711.html HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n',
    ],
  ])('over %s', (_, request) => {
    test('is closed only after the subrequest has finished: the caveat of capture-subrequest.conf', async () => {
      shop = await start('subrequest');
      expect((await exchange(shop.port, request)).toString('latin1')).toContain('<title>');

      expect(await shop.nginx.errorLog()).toContain(GIVEN_UP);
    });

    test('waits for nothing with batch', async () => {
      shop = await start('batch');
      expect((await exchange(shop.port, request)).toString('latin1')).toContain('<title>');

      expect(await shop.nginx.errorLog()).not.toContain('subrequest: "');
    });
  });
});

async function start(transport: 'subrequest' | 'batch'): Promise<TestShop> {
  const shop = await startShop({ build: await obtainNginx({ suite: 'trixie', report }) });
  if (transport === 'batch') {
    await chooseTransport(join(shop.folder, 'nginx.conf'), 'batch');
    await shop.nginx.reload();
  }
  shop.sidecar.answer = 'hang';
  await shop.sidecar.start();
  return shop;
}
