import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Accounts } from '../../app/wire-sidecar.ts';
import type { Replayed } from '../../reconcile/replay.ts';
import type { Verified } from '../../reconcile/verify.ts';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { freePort } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { sharedElasticsearch } from '../parts/shared.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { lineAt, postLines } from './post-lines.ts';
import { askHotitem, runHotitem } from './run-hotitem.ts';
import { setUpIndexes } from './set-up.ts';

jest.setTimeout(300_000);
const COUNT = 40;
const SOME = 10;

let folder: ReturnType<typeof temporaryFolder>;
let env: Record<string, string>;
let sidecar: Service | undefined;

beforeEach(async () => {
  folder = temporaryFolder('replay');
  env = { HOTITEM_HOME: folder.path, HOTITEM_ADMIN_LISTEN: `127.0.0.1:${await freePort()}` };
});
afterEach(async () => {
  await sidecar?.stop();
  sidecar = undefined;
  folder.remove();
});

describe('hotitem replay, from the spool into DuckDB', () => {
  test('restores the events of a time range, and of a lost file, through the process that has the new one; then the accounting balances, and a replay heats nothing', async () => {
    await runSidecar();
    const hour = Date.now() - 3_600_000;
    await capture(SOME, hour);
    await capture(SOME, hour - 10_000);
    const from = new Date(hour).toISOString();
    expect(await replay(['--from', from])).toMatchObject({ answer: { read: SOME, existing: SOME } });
    await capture(COUNT);
    await sidecar?.stop();
    rmSync(join(folder.path, 'duckdb'), { recursive: true });
    await sidecar?.start();
    expect(await verify(['--from', '-30m'])).toMatchObject({
      status: 1,
      answer: { expected: COUNT, there: 0, missing: COUNT },
    });

    expect(await replay(['--dry-run'])).toMatchObject({ answer: { read: COUNT, created: COUNT } });
    expect(await replay()).toMatchObject({
      status: 0,
      answer: { read: COUNT, created: COUNT, existing: 0, dead: 0 },
    });
    expect(await replay()).toMatchObject({ answer: { created: 0, existing: COUNT } });
    expect(await verify(['--from', '-30m'])).toMatchObject({
      status: 0,
      answer: { balanced: true, there: COUNT, gaps: [] },
    });
    expect(await sidecar?.metric('hotitem_heat_observed_total')).toBe(0);
    expect(await sidecar?.json('/api/v1/hot')).toMatchObject({ hot: [] });

    await sidecar?.stop();
    expect(await verify(['--from', '-30m'])).toMatchObject({ status: 0, answer: { there: COUNT } });
  });

  test('says that there is no index', async () => {
    const nothing = await runHotitem(['replay', '--from', '-1h'], env);
    expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no index at') });
  });

  (FULL ? test : test.skip)('says what it needs', async () => {
    const without = await runHotitem(['replay'], env);
    expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining('needs --from') });
    const kafka = await runHotitem(['replay', '--from', '-1h', '--source', 'kafka'], env);
    expect(kafka).toMatchObject({ code: 2, stderr: expect.stringContaining('KAFKA_BROKERS') });
  });
});

suiteWith(['elasticsearch'])('hotitem replay, from the spool into Elasticsearch', () => {
  let elasticsearch: ElasticsearchPart;
  beforeAll(async () => {
    elasticsearch = await sharedElasticsearch();
  });
  afterAll(() => elasticsearch?.close());

  test('does not change existing events, also after a rollover, where Elasticsearch would create duplicates', async () => {
    const stream = `hot_item_replay_${Date.now().toString(36)}`;
    Object.assign(env, { ELASTICSEARCH_NODE: elasticsearch.node, HOTITEM_ELASTICSEARCH_DATA_STREAM: stream });
    await setUpIndexes(env);
    await runSidecar();
    await capture(COUNT);
    const { hits } = await ask<Found>('POST', `${stream}/_search?size=${SOME}`);
    for (const { _index, _id } of hits.hits) await ask('DELETE', `${_index}/_doc/${_id}?refresh=true`);
    await ask('POST', `${stream}/_rollover`);

    expect(await replay()).toMatchObject({
      status: 0,
      answer: { read: COUNT, created: SOME, existing: COUNT - SOME },
    });
    await ask('POST', `${stream}/_refresh`);
    expect(await ask('GET', `${stream}/_count`)).toMatchObject({ count: COUNT });
    expect(await verify()).toMatchObject({ status: 0, answer: { there: COUNT, duplicate: 0 } });
  });

  async function ask<T>(method: string, path: string): Promise<T> {
    if (path.includes('_search')) await ask('POST', `${path.split('/')[0]}/_refresh`);
    const reply = await fetch(`${elasticsearch.node}/${path}`, { method });
    if (!reply.ok) throw new Error(`${method} ${path}: ${await reply.text()}`);
    return (await reply.json()) as T;
  }
});

type Found = { hits: { hits: { _index: string; _id: string }[] } };

async function runSidecar(): Promise<void> {
  const admin = env.HOTITEM_ADMIN_LISTEN ?? '';
  sidecar = await startService({ args: ['sidecar'], env, admin, logFile: join(folder.path, 'sidecar.log') });
}

/** That many views, until the sidecar has them in its index. */
async function capture(count: number, time = Date.now() - 60_000): Promise<void> {
  const before = await consumed();
  await postLines(
    join(folder.path, 'run/intake.sock'),
    Array.from({ length: count }, (_, i) => lineAt(time + i, i)),
  );
  await until(async () => (await consumed()) >= before + count, {
    timeoutMs: 60_000,
    what: `${count} views to be indexed`,
    detail: () => sidecar?.log() ?? '',
  });
}

async function consumed(): Promise<number> {
  const accounts = await sidecar?.json<Accounts>('/api/v1/accounting');
  return accounts?.sink?.consumed ?? 0;
}

function replay(args: string[] = []) {
  const range = args.includes('--from') ? [] : ['--from', '-1h'];
  return askHotitem<Replayed>(['replay', ...range, ...args], env);
}

function verify(args: string[] = []) {
  return askHotitem<Verified & { balanced: boolean }>(['verify', ...args], env);
}
