import { readdir, readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { type Chain, startChain } from './chain.ts';
import { ask } from './nginx-ask.ts';

jest.setTimeout(120_000);

const SHOPPER = '127.0.0.77';
const AGENT = 'Mozilla/5.0 (compatible; Distinctbot/9.7)';

suiteWith(['nginx'])('privacy, from nginx to DuckDB', () => {
  let build: NginxBuild;
  let chain: Chain;
  const agent = new Agent({ localAddress: SHOPPER });

  beforeAll(async () => {
    build = await obtainNginx({ suite: 'trixie', report });
  });
  afterEach(() => chain?.close());

  test.each([
    ['truncate', /^127\.0\.0\.0$/, 1],
    ['hash', /^[0-9a-f]{16}$/, 1],
    ['drop', /^null$/, 0],
  ])('with %s no file of the sidecar holds what may not rest', async (mode, kept, visitors) => {
    chain = await startChain({
      build,
      env: {
        HOTITEM_PRIVACY_IP: mode,
        HOTITEM_PRIVACY_IP_SALT: 'a secret of the nodes',
        HOTITEM_EVENT_OMIT: 'ua,ref',
      },
    });
    const headers = { 'user-agent': AGENT, referer: 'https://www.example.com/distinct-page' };
    for (let i = 0; i < 3; i++) {
      await ask({ port: chain.port, path: `/web/item/${i + 1}.html`, headers, agent });
    }
    await chain.settle(3);
    const { items } = await chain.sidecar.json<{ items: { visitors: number }[] }>('/api/v1/items?window=1h');
    await chain.sidecar.stop();

    expect(await filesWith([SHOPPER, 'Distinctbot', 'distinct-page'])).toEqual([]);
    const rows = await stored();
    expect(rows).toHaveLength(3);
    expect(rows.map(([ip]) => String(ip))).toEqual(Array(3).fill(expect.stringMatching(kept)));
    expect(rows.map(([, ...rest]) => rest)).toEqual(Array(3).fill([null, null, true]));
    expect(items.map((item) => item.visitors)).toEqual([visitors, visitors, visitors]);
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
    const found = await connection.runAndReadAll('SELECT ip, ua, ref, bot FROM events');
    connection.closeSync();
    instance.closeSync();
    return found.getRows();
  }
});
