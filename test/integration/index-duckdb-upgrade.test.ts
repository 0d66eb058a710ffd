import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openDuckdbIndex } from '../../store/duckdb/duckdb.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { DECISION as PLAIN } from '../parts/hot-decision.ts';
import { view } from './index-contract.ts';

const DAY_MS = 86_400_000;

/** As version 0.1.0 made it. */
const SCHEMA_1 = `
  CREATE TABLE hotitem (schema_version INTEGER NOT NULL);
  INSERT INTO hotitem VALUES (1);
  CREATE TABLE events (
    id UUID NOT NULL, other_id VARCHAR, time TIMESTAMP_MS NOT NULL, uri VARCHAR NOT NULL, raw VARCHAR, args VARCHAR,
    item VARCHAR NOT NULL, ip VARCHAR NOT NULL, host VARCHAR, method VARCHAR, ua VARCHAR, ref VARCHAR, node VARCHAR,
    weight DOUBLE NOT NULL, cut VARCHAR[]
  );`;

const DECISION = { ...PLAIN, visitors: 7 };

let folder: { path: string; remove: () => void };
let path: string;
beforeEach(() => {
  folder = temporaryFolder('duckdb-upgrade');
  path = join(folder.path, 'index.duckdb');
});
afterEach(() => folder.remove());

describe('a DuckDB file', () => {
  test('of schema 1 is upgraded with its events, and accepts new ones', async () => {
    const old = view({ ip: '203.0.113.1' });
    const { ip: _, ...dropped } = view({ bot: true, visitor: '6f1c2a9e0b5d4738', kind: 'head' });
    await ask(`${SCHEMA_1}
      INSERT INTO events VALUES ('${old.id}', NULL, epoch_ms(${old.time}), '${old.uri}', NULL, NULL, '${old.item}',
        '${old.ip}', NULL, NULL, NULL, NULL, NULL, 1, NULL)`);

    const index = await openDuckdbIndex({ path });
    const outcomes = await index.create([old, dropped]);
    const ofDecisions = [await index.decisions.create([DECISION]), await index.decisions.create([DECISION])];
    const items = await index.topItems({ from: old.time, to: old.time + DAY_MS, limit: 1, rank: 'all' });
    await index.close();

    expect(outcomes).toEqual([{ status: 'exists' }, { status: 'created' }]);
    expect(ofDecisions).toEqual([[{ status: 'created' }], [{ status: 'exists' }]]);
    expect(await ask('SELECT item, signals, visitors, until FROM decisions')).toEqual([
      ['4711', { items: ['busy'] }, 7, null],
    ]);
    expect(items).toMatchObject([{ item: '4711', views: 1, others: 1, all: 2, visitors: 1 }]);
    expect(await ask('SELECT ip, bot, visitor, kind FROM events ORDER BY bot')).toEqual([
      ['203.0.113.1', false, null, null],
      [null, true, '6f1c2a9e0b5d4738', 'head'],
    ]);
  });

  test('of schema 2 is upgraded with its events, which are views', async () => {
    const old = view({ ip: '203.0.113.1', ua: 'a' });
    await ask(`${SCHEMA_1.replace('VALUES (1)', 'VALUES (2)').replace('ip VARCHAR NOT NULL', 'ip VARCHAR').replace('cut VARCHAR[]', 'cut VARCHAR[], bot BOOLEAN DEFAULT FALSE')}
      INSERT INTO events VALUES ('${old.id}', NULL, epoch_ms(${old.time}), '${old.uri}', NULL, NULL, '${old.item}',
        '${old.ip}', NULL, 'GET', 'a', NULL, NULL, 1, NULL, FALSE)`);

    const index = await openDuckdbIndex({ path });
    await index.create([view({ ip: '203.0.113.1', ua: 'a' }), view({ kind: 'prefetch' })]);
    const items = await index.topItems({ from: old.time, to: old.time + DAY_MS, limit: 1 });
    await index.close();

    expect(items).toMatchObject([{ views: 2, prefetches: 1, visitors: 1 }]);
  });

  test.each([
    ['schema 5', 'UPDATE hotitem SET schema_version = 5; DROP TABLE closed_format'],
    [
      'schema 6 that knew closed days only',
      `UPDATE closed_format SET format = replace(format, '2, ', '1, '); CREATE TABLE closed_days (day INTEGER NOT NULL); INSERT INTO closed_days VALUES (20777);
       CREATE TABLE closed_items (day INTEGER NOT NULL, item VARCHAR NOT NULL, total DOUBLE NOT NULL); INSERT INTO closed_items VALUES (20777, '4711', 2)`,
    ],
  ])('of %s is upgraded, and its spans that are over are computed', async (_, change) => {
    const time = Date.UTC(2026, 10, 20, 12);
    const options = { path, now: () => time + 2 * DAY_MS };
    const before = await openDuckdbIndex(options);
    await before.create([view({ time }), view({ time: time + DAY_MS, item: 'other' })]);
    await before.close();
    await ask(
      `DROP TABLE closed_spans; DROP TABLE closed_items; DROP TABLE closed_hours; DROP TABLE closed_sources; DROP TABLE closed_visitors; ${change}`,
    );

    const index = await openDuckdbIndex(options);
    while ((await index.closeSpan()) !== undefined);
    await index.close();

    expect(await ask('SELECT schema_version FROM hotitem')).toEqual([[6]]);
    expect(await ask('SELECT item, total FROM closed_items WHERE hours = 24 ORDER BY begins')).toEqual([
      ['4711', 1],
      ['other', 1],
    ]);
    const upgraded = await columns();
    path = join(folder.path, 'new.duckdb');
    await (await openDuckdbIndex({ path })).close();
    expect(upgraded).toEqual(await columns());
  });

  test('whose write-ahead log is damaged says so, and what to do; without that log it opens', async () => {
    const index = await openDuckdbIndex({ path });
    await index.create(Array.from({ length: 500 }, (_, i) => view({ ua: `browser ${i}` })));
    // As a kill leaves them.
    const killed = join(folder.path, 'killed.duckdb');
    copyFileSync(path, killed);
    const log = readFileSync(`${path}.wal`);
    await index.close();
    log.fill(0xff, log.length >> 1, (log.length >> 1) + 64);
    writeFileSync(`${killed}.wal`, log);

    await expect(openDuckdbIndex({ path: killed })).rejects.toThrow(
      `${killed}.wal is damaged: move it away, and hotitem replay indexes again what Kafka, or the spool, still has`,
    );
    rmSync(`${killed}.wal`);
    await (await openDuckdbIndex({ path: killed })).close();
  });

  test('that was upgraded is equal to a new one', async () => {
    await ask(SCHEMA_1);
    await (await openDuckdbIndex({ path })).close();
    const upgraded = await columns();
    path = join(folder.path, 'new.duckdb');
    await (await openDuckdbIndex({ path })).close();

    expect(upgraded).toEqual(await columns());
  });
});

test('items whose addresses were dropped have views and no visitors', async () => {
  const index = await openDuckdbIndex({ path });
  const { ip: _, ...dropped } = view();
  await index.create([dropped]);

  const items = await index.topItems({ from: dropped.time, to: dropped.time + 1, limit: 1 });
  await index.close();

  expect(items).toMatchObject([{ views: 1, visitors: 0 }]);
});

function columns() {
  return ask(`SELECT table_name, column_name, data_type, is_nullable, column_default
    FROM duckdb_columns() WHERE NOT internal ORDER BY table_name, column_index`);
}

async function ask(sql: string) {
  const instance = await DuckDBInstance.create(path);
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRows();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
