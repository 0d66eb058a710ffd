import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Accounts } from '../../app/wire-sidecar.ts';
import { MOST_OF_HOST } from '../../heat/live-feed.ts';
import { writeEndlessIndex } from '../parts/endless-duckdb.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { measured, memoryInUse } from '../parts/memory-in-use.ts';
import { freePort } from '../parts/ports.ts';
import { record } from '../parts/record.ts';
import { type Service, startService } from '../parts/service.ts';
import { until } from '../parts/until.ts';

import { lineAt, postLines } from './post-lines.ts';

jest.setTimeout(180_000);
const PATIENCE_MS = 60_000;
const MIB = 1024 * 1024;
const READERS = 300;
/** Two come in a second. */
const SETTLED_EVENTS = 20;
const STREAM = 'GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n';
/** Less than the first event has. */
const LEAST_BYTES = 100_000;

let home: string;
let remove: () => void;
let admin: string;
let service: Service;
beforeEach(async () => {
  ({ path: home, remove } = temporaryFolder('admin'));
  admin = `127.0.0.1:${await freePort()}`;
});
afterEach(async () => {
  await service?.kill();
  remove();
});

describe('queries that would take hours', () => {
  let askers: AbortController[];
  beforeEach(async () => {
    askers = [];
    mkdirSync(join(home, 'duckdb'));
    await writeEndlessIndex(join(home, 'duckdb/hotitem.duckdb'));
    service = await start(['sidecar']);
  });
  afterEach(() => {
    for (const asker of askers) asker.abort();
  });

  test('end when their clients are gone; identical ones run once, and only a few others wait', async () => {
    for (let i = 0; i < 5; i++) void ask('window=31d');
    await questions({ running: 1, waiting: 0 });

    const others = Array.from({ length: 12 }, (_, i) => ask(`window=31d&limit=${i + 1}`));
    const refused = await Promise.any(others.map(tooMany));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(await service.text('/metrics')).toMatch(/^hotitem_admin_refused_total\{reason="queue"\} [1-9]/m);
    expect(await service.text('/livez')).toBe('ok\n');

    for (const asker of askers) asker.abort();
    await questions({ running: 0, waiting: 0 });
  });

  test('do not prevent the sidecar from stopping', async () => {
    void ask('window=31d');
    void ask('window=1m');
    await questions({ running: 1, waiting: 1 });

    await service.stop();

    expect(service.log()).toContain('"clean":true');
  });

  /** Rejects unless the answer says so. */
  async function tooMany(asked: Promise<Response | undefined>): Promise<Response> {
    const response = await asked;
    const text = await response?.clone().text();
    if (response === undefined || !text?.includes('too many queries at once, try again'))
      throw new Error(text);
    return response;
  }

  /** Undefined where the asker left. */
  async function ask(question: string): Promise<Response | undefined> {
    const asker = new AbortController();
    askers.push(asker);
    try {
      return await fetch(`http://${admin}/api/v1/items?${question}`, { signal: asker.signal });
    } catch {
      return undefined;
    }
  }

  async function questions(expected: { running: number; waiting: number }): Promise<void> {
    const wanted = Object.entries(expected).map(
      ([state, count]) => `hotitem_ranking_questions{state="${state}"} ${count}`,
    );
    await until(
      async () => {
        const metrics = (await service.text('/metrics')).split('\n');
        return wanted.every((line) => metrics.includes(line));
      },
      { timeoutMs: PATIENCE_MS, what: wanted.join(', '), detail: service.log },
    );
  }
});

describe('the stream of the page', () => {
  test('costs little memory where hundreds of clients never read, and who monitors is answered', async () => {
    service = await start(['sidecar'], {
      HOTITEM_HEAT_RULES: manyPins(),
      ...measured(join(home, 'memory.json')),
    });
    const reader = connect({ port: Number(admin.split(':')[1]), host: '127.0.0.1' });
    const socketsOfTest = [reader];
    try {
      let [read, chunks] = [0, 0];
      reader.on('data', (chunk) => {
        read += chunk.length;
        chunks++;
      });
      reader.write(STREAM);
      await until(() => read > LEAST_BYTES, { timeoutMs: PATIENCE_MS, what: 'a stream that is read' });
      let before = await inUse();
      // A process that has just started grows by itself.
      const isSettled = async () => {
        const [events, { rss }] = [chunks, before];
        await until(() => chunks > events + SETTLED_EVENTS, { timeoutMs: PATIENCE_MS, what: 'more events' });
        before = await inUse();
        return before.rss - rss < MIB;
      };
      if (FULL) await until(isSettled, { timeoutMs: 300_000, what: 'memory that does not grow' });
      for (let i = 0; i < READERS; i++) {
        const socket = connect({ port: Number(admin.split(':')[1]), host: '127.0.0.1' });
        socketsOfTest.push(socket);
        socket.on('error', () => {});
        socket.pause();
        socket.write(STREAM);
      }
      const refused = async () =>
        (await service.text('/metrics')).includes(
          `admin_refused_total{reason="streams"} ${READERS + 1 - MOST_OF_HOST}\n`,
        );
      await until(refused, { timeoutMs: PATIENCE_MS, what: 'those beyond the limit', detail: service.log });
      // On a busy machine some that never read may have been let go by now.
      const metrics = await service.text('/metrics');
      const [, open] = /^hotitem_live_clients (\d+)$/m.exec(metrics) ?? [];
      const [, slow] = /^hotitem_live_ended_total\{reason="slow"\} (\d+)$/m.exec(metrics) ?? [];
      expect(Number(open) + Number(slow ?? 0)).toBe(MOST_OF_HOST);
      const most = await inUse();
      const length = read;
      const isEnough = async () => {
        const { rss, held } = await inUse();
        [most.rss, most.held] = [Math.max(most.rss, rss), Math.max(most.held, held)];
        if (!FULL) return read > length;
        return /live_ended_total\{reason="slow"\} 199\n/.test(await service.text('/metrics'));
      };
      await until(isEnough, { timeoutMs: 900_000, what: 'readers that never read to be let go' });
      expect(await service.text('/livez')).toBe('ok\n');
      const [rss, held] = [(most.rss - before.rss) / MIB, (most.held - before.held) / MIB];
      record(`${READERS} readers that never read: ${held.toFixed(1)} MiB held, RSS + ${rss.toFixed(1)} MiB`);
      // Meaningful only where it did not grow by itself before.
      if (FULL) expect(rss).toBeLessThanOrEqual(20);
      expect(held).toBeLessThanOrEqual(10);
    } finally {
      for (const socket of socketsOfTest) socket.destroy();
    }
  }, 1_000_000);

  function inUse(): Promise<{ rss: number; held: number }> {
    return memoryInUse(service.pid(), join(home, 'memory.json'));
  }

  /** As many hot items as the largest snapshot has that anybody is likely to see. */
  function manyPins(): string {
    const path = join(home, 'rules.yml');
    const pins = Array.from({ length: 500 }, (_, i) => ({ item: `item ${i}`, reason: 'x'.repeat(200) }));
    writeFileSync(path, JSON.stringify({ pins }));
    return path;
  }
});

describe('an admin.listen that another program uses', () => {
  let other: Server;
  let startedAt: number;
  beforeEach(async () => {
    startedAt = Date.now();
    // Looks ready, so that the service counts as started as soon as it runs.
    other = createServer((_, response) => response.end('another program\n'));
    const port = Number(admin.split(':')[1]);
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  });
  afterEach(() => {
    other.close();
  });

  test('does not prevent a sidecar from ingesting and indexing; it listens when that program is gone', async () => {
    service = await start(['sidecar']);
    const socket = join(home, 'run/intake.sock');
    const send = () =>
      postLines(socket, [lineAt(Date.now())]).then(
        () => true,
        () => false,
      );
    await until(send, { timeoutMs: PATIENCE_MS, what: 'a line to be accepted', detail: service.log });
    await saysSo('admin.listen');

    await release();
    const ofSink = async () => (await service.json<Accounts>('/api/v1/accounting')).sink?.indexed;
    await until(async () => (await ofSink()) === 1, {
      timeoutMs: PATIENCE_MS,
      what: 'the view to be indexed',
    });
  });

  test('does not prevent a sink from running', async () => {
    service = await start(['sink'], { KAFKA_BROKERS: `127.0.0.1:${await freePort()}` });
    await saysSo('admin.sink_listen');
    await release();
  });

  async function saysSo(setting: string): Promise<void> {
    const lines = () =>
      service
        .log()
        .split('\n')
        .filter((line) => line.includes(`cannot listen on ${setting}`));
    await until(() => lines().length > 0, {
      timeoutMs: PATIENCE_MS,
      what: 'a line in the log',
      detail: service.log,
    });
    expect(JSON.parse(lines()[0] ?? '')).toMatchObject({
      level: 40,
      [setting]: admin,
      reason: `listen EADDRINUSE: address already in use ${admin}`,
    });
  }

  async function release(): Promise<void> {
    other.closeAllConnections();
    await new Promise((resolve) => other.close(resolve));
    const isOurs = () =>
      service.text('/livez').then(
        (text) => text === 'ok\n',
        () => false,
      );
    await until(isOurs, { timeoutMs: PATIENCE_MS, what: 'it to listen', detail: service.log });
    expect(await service.metric('hotitem_admin_listen_failures_total')).toBeGreaterThan(0);
    // However often it was tried: once a minute.
    const minutes = Math.ceil((Date.now() - startedAt) / 60_000);
    expect(service.log().match(/cannot listen on/g)?.length).toBeLessThanOrEqual(minutes);
  }
});

function start(args: string[], env: Record<string, string> = {}): Promise<Service> {
  const listen = { HOTITEM_ADMIN_LISTEN: admin, HOTITEM_ADMIN_SINK_LISTEN: admin };
  const logFile = join(home, 'service.log');
  return startService({
    args,
    env: { HOTITEM_HOME: home, ...listen, ...env },
    admin,
    logFile,
    waitFor: '/livez',
  });
}
