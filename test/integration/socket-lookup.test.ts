import { createServer, request, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createIndexRoutes } from '../../sidecar/routes/index-routes.ts';
import { createQuestionSocket } from '../../sidecar/routes/question-socket.ts';
import { type DuckdbIndex, openDuckdbIndex } from '../../store/duckdb/duckdb.ts';
import { createSocketLookup, hasSocketLookup } from '../../store/duckdb/socket-lookup.ts';
import { createSocketQuestions } from '../../store/duckdb/socket-questions.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { DECISION } from '../parts/hot-decision.ts';
import { until } from '../parts/until.ts';
import { view } from './index-contract.ts';

describe('the index of another process, over its socket', () => {
  const folder = temporaryFolder('lookup');
  const socket = join(folder.path, 'a.sock');
  const lookup = createSocketLookup(socket);
  let index: DuckdbIndex;
  let server: Server;

  beforeAll(async () => {
    index = await openDuckdbIndex({ path: join(folder.path, 'a.duckdb') });
    const routes = createIndexRoutes(index);
    server = createServer((request, response) => {
      const route = routes[request.url ?? ''];
      if (route === undefined) response.writeHead(404).end();
      else route(request, response);
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
  });
  afterAll(async () => {
    await index.close();
    await new Promise((resolve) => server.close(resolve));
    folder.remove();
  });

  test('counts each id, in the requested order, also one that no sidecar creates', async () => {
    const [event, foreign] = [view(), view({ id: 'events-3-17' })];
    await index.create([event, foreign]);
    expect(await lookup.count([view().id, foreign.id, event.id, event.id])).toEqual([0, 1, 1, 1]);
    expect(await lookup.count([])).toEqual([]);
  });

  test('creates missing events, also with newlines in a path', async () => {
    const [known, odd] = [view(), view({ uri: '/web/item/\n\u2028.html' })];
    await index.create([known]);
    expect(await lookup.create([known, odd])).toEqual([{ status: 'exists' }, { status: 'created' }]);
    expect(await index.count([odd.id])).toEqual([1]);
  });

  test('creates the valid events of a request, and rejects each event that no sidecar creates', async () => {
    const [good, heavy, strange] = [view(), view({ weight: 1_000_000 }), view({ ip: 'no address' })];
    expect(await lookup.create([heavy, good, strange])).toEqual([
      {
        status: 'rejected',
        reason: expect.stringContaining('weight: must be a whole number from 1 to 640000'),
      },
      { status: 'created' },
      { status: 'rejected', reason: 'ip: must be an address (got "no address")' },
    ]);
    expect(await index.count([heavy.id, good.id, strange.id])).toEqual([0, 1, 0]);
    const { status, text } = await ask('/v1/index/create', 'no event');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual([{ status: 'rejected', reason: 'event: is not JSON (got "no event")' }]);
  });

  test.each([['/v1/index/count', `${'a\n'.repeat(1_001)}`, 413, 'more than 1000 lines']])(
    '%s rejects other requests',
    async (path, body, status, message) => {
      const answer = await ask(path, body);
      expect(answer.status).toBe(status);
      expect(answer.text).toContain(message);
    },
  );

  test('answers the questions of hotitem report as the index does', async () => {
    const time = Date.UTC(2026, 0, 2);
    await index.create([
      view({ time, item: 'a', category: 'Cups', name: 'A' }),
      view({ time: time + 1, item: 'b\n\u2028', bot: true }),
    ]);
    await index.decisions.create([{ ...DECISION, time, dry_run: true, views_per_second: 20.5 }]);
    const asked = createSocketQuestions(socket);
    const range = { from: time, to: time + 60_000 };

    expect((await index.totals(range)).all).toBe(2);
    expect(await asked.totals(range)).toEqual(await index.totals(range));
    const empty = { from: 0, to: 1 };
    expect(await asked.totals(empty)).toEqual(await index.totals(empty));
    for (const query of [
      { ...range, limit: 5, rank: 'all' as const },
      { ...range, limit: 1 },
    ]) {
      expect(await asked.topItems(query)).toEqual(await index.topItems(query));
      expect(await asked.topCategories(query)).toEqual(await index.topCategories(query));
      expect(await asked.pastDecisions(query)).toEqual(await index.pastDecisions(query));
    }
    const line = { ...range, stepMs: 30_000 };
    expect(await asked.timeLine(line)).toEqual({ people: [1, 0], all: [2, 0] });
    expect(await asked.timeLine({ ...line, item: 'a' })).toEqual({ people: [1, 0], all: [1, 0] });
  });

  test.each([
    ['{', 400],
    ['{"question":"drop","query":{}}', 400],
    ['{"question":"constructor","query":{}}', 400],
    ['{"question":"totals","query":{"from":0}}', 400],
    ['{"question":"timeLine","query":{"from":0,"to":1e15,"stepMs":1}}', 400],
    ['{"question":"topItems","query":{"from":0,"to":1,"limit":1000000}}', 400],
    [JSON.stringify({ question: 'x'.repeat(70_000) }), 413],
  ])('/v1/index/ask rejects %p', async (body, status) => {
    expect((await ask('/v1/index/ask', body)).status).toBe(status);
  });

  test('says what to do where the sidecar that runs is of before these questions', async () => {
    const count = createIndexRoutes(index)['/v1/index/count'];
    const earlier = createServer((request, response) => {
      if (request.url === '/v1/index/count') count?.(request, response);
      else response.writeHead(404).end();
    });
    const path = join(folder.path, 'earlier.sock');
    await new Promise<void>((resolve) => earlier.listen(path, resolve));
    expect(await hasSocketLookup(path)).toBe(true);
    await expect(createSocketQuestions(path).totals({ from: 0, to: 1 })).rejects.toThrow(
      'the sidecar is of an earlier version: restart it',
    );
    await new Promise((resolve) => earlier.close(resolve));
  });

  test('gives up a question when nobody waits for its answer', async () => {
    const gone = new AbortController();
    let cancelled = false;
    const route = createQuestionSocket({
      ...index,
      totals: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            cancelled = true;
            reject(new Error('given up'));
          });
          gone.abort(new Error('enough'));
        }),
    });
    const slow = createServer((request, response) => route(request, response));
    const path = join(folder.path, 'slow.sock');
    await new Promise<void>((resolve) => slow.listen(path, resolve));
    await expect(createSocketQuestions(path).totals({ from: 0, to: 1 }, gone.signal)).rejects.toThrow();
    await until(() => cancelled, { timeoutMs: 60_000, what: 'the question to be given up' });
    await new Promise((resolve) => slow.close(resolve));
  });

  test('is asked over a new connection each time: a kept one may be closed just when it is used', async () => {
    const count = createIndexRoutes(index)['/v1/index/count'];
    const used = new Set<Socket>();
    const strict = createServer((request, response) => {
      if (used.has(request.socket)) request.socket.destroy();
      else count?.(request, response);
      used.add(request.socket);
    });
    const path = join(folder.path, 'strict.sock');
    await new Promise<void>((resolve) => strict.listen(path, resolve));
    const asked = createSocketLookup(path);
    expect(await asked.count(['a'])).toEqual([0]);
    expect(await asked.count(['a'])).toEqual([0]);
    await new Promise((resolve) => strict.close(resolve));
  });

  test('is known to exist or not', async () => {
    expect(await hasSocketLookup(socket)).toBe(true);
    expect(await hasSocketLookup(join(folder.path, 'nobody.sock'))).toBe(false);
    await expect(createSocketLookup(join(folder.path, 'nobody.sock')).count(['a'])).rejects.toThrow(
      'the sidecar does not answer',
    );
  });

  test('reports that it is unavailable if its file is', async () => {
    const other = await openDuckdbIndex({ path: join(folder.path, 'b.duckdb') });
    const count = createIndexRoutes(other)['/v1/index/count'];
    await other.close();
    const away = createServer((request, response) => count?.(request, response));
    const path = join(folder.path, 'b.sock');
    await new Promise<void>((resolve) => away.listen(path, resolve));
    await expect(createSocketLookup(path).count(['a'])).rejects.toThrow('the sidecar answers 503');
    await new Promise((resolve) => away.close(resolve));
  });

  function ask(path: string, body: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: socket, path, method: 'POST', agent: false }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }
});
