import { appendFile, readdir, readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import { firstOf } from '../parts/full.ts';
import { BROWSER } from '../parts/load.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { type Chain, startChain } from './chain.ts';
import { ask } from './nginx-ask.ts';

jest.setTimeout(180_000);

const SHOPPER = '127.0.0.77';
const PERSON = { 'user-agent': BROWSER };
const AGENT = 'Mozilla/5.0 (compatible; Distinctbot/9.7)';

suiteWith(['nginx'])('privacy, from nginx to DuckDB', () => {
  let build: NginxBuild;
  let chain: Chain;
  const agent = new Agent({ localAddress: SHOPPER });

  beforeAll(async () => {
    build = await obtainNginx({ suite: 'trixie', report });
  });
  afterEach(() => chain?.close());

  const modes: [string, RegExp, number][] = [
    ['hash', /^[0-9a-f]{16}$/, 1],
    // Below, too.
    ['drop', /^null$/, 0],
    ['truncate', /^127\.0\.0\.0$/, 1],
  ];
  test.each(firstOf(1, modes))(
    'with %s no file of the sidecar contains what must not be stored',
    async (mode, kept, visitors) => {
      // By batch: a subrequest that finds the sidecar busy is spilled, and a spill file may hold what its views have.
      chain = await startChain({
        build,
        transport: 'batch',
        env: {
          HOTITEM_PRIVACY_IP: mode,
          HOTITEM_PRIVACY_IP_SALT: 'a secret of the nodes',
          HOTITEM_EVENT_OMIT: 'ua,ref',
        },
      });
      const headers = { 'user-agent': AGENT, referer: 'https://www.example.com/distinct-page' };
      for (let i = 0; i < 3; i++) {
        await ask({ port: chain.port, path: `/web/item/${i + 1}.html`, headers, agent });
        await ask({ port: chain.port, path: `/web/item/${i + 1}.html`, headers: PERSON, agent });
      }
      await chain.settle(6);
      const { items } = await chain.sidecar.json<{ items: { visitors: number }[] }>(
        '/api/v1/items?window=1h',
      );
      await chain.sidecar.stop();

      expect(await filesWith([SHOPPER, 'Distinctbot', 'distinct-page'])).toEqual([]);
      const rows = await stored();
      expect(rows).toHaveLength(6);
      expect(rows.map(([ip]) => String(ip))).toEqual(Array(6).fill(expect.stringMatching(kept)));
      expect(rows.map(([, ...rest]) => rest)).toEqual([
        ...Array(3).fill([null, null, false, null]),
        ...Array(3).fill([null, null, true, null]),
      ]);
      expect(items).toMatchObject(Array(3).fill({ views: 1, bots: 1, visitors }));
    },
  );

  test('with drop a visitor key is hashed at once: no file of the sidecar contains it or the address, and visitors are counted by it', async () => {
    chain = await startChain({ build, transport: 'batch', env: { HOTITEM_PRIVACY_IP: 'drop' } });
    const items = join(chain.home, 'nginx/hotitem/items.conf');
    await appendFile(items, 'map $cookie_session $hotitem_visitor { default $cookie_session; }\n');
    await chain.nginx.reload();
    for (const session of ['Distinct-anna', 'Distinct-anna', 'Distinct-berta']) {
      const headers = { ...PERSON, cookie: `a=b; session=${session}` };
      await ask({ port: chain.port, path: '/web/item/1.html', headers, agent });
    }
    await chain.settle(3);
    const { items: ranked } = await chain.sidecar.json<{ items: object[] }>('/api/v1/items?window=1h');
    await chain.sidecar.stop();

    expect(ranked).toMatchObject([{ views: 3, visitors: 2 }]);
    expect(await filesWith(['Distinct', SHOPPER])).toEqual([]);
    const rows = await stored();
    expect(rows.map(([ip]) => ip)).toEqual([null, null, null]);
    const [first, second, third] = rows.map(([, , , , visitor]) => visitor);
    expect([first, second, third]).toEqual(Array(3).fill(expect.stringMatching(/^[0-9a-f]{16}$/)));
    expect(new Set([first, second, third]).size).toBe(2);
  });

  async function filesWith(texts: string[]): Promise<string[]> {
    const entries = await readdir(chain.home, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const contents = await Promise.all(paths.map((path) => readFile(path, 'latin1')));
    return paths.filter((_, i) => texts.some((text) => contents[i]?.includes(text)));
  }

  async function stored() {
    const instance = await DuckDBInstance.create(join(chain.home, 'duckdb/hotitem.duckdb'));
    const connection = await instance.connect();
    const found = await connection.runAndReadAll('SELECT ip, ua, ref, bot, visitor FROM events ORDER BY bot');
    connection.closeSync();
    instance.closeSync();
    return found.getRows();
  }
});
