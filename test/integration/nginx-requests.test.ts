import { readdir } from 'node:fs/promises';
import { connect as connect2 } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FULL } from '../parts/full.ts';
import { withoutLate } from '../parts/nginx-late.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { bytes, REQUESTS, type RequestCase } from './nginx-requests-cases.ts';
import { hostOf, resetAt, STAGES } from './nginx-requests-resets.ts';
import { type Site, startSite } from './nginx-requests-site.ts';
import { nameOf, triesAll, WAYS } from './nginx-requests-ways.ts';
import { exchange, readAnswer, steady } from './nginx-requests-wire.ts';
import { anyHeader } from './nginx-uris-cases.ts';

const START_MS = 300_000;
/** How many clients reset at each stage. */
const RESETS = FULL ? 1000 : 20;
/** How long views are waited for that may be lost. */
const PERHAPS_MS = FULL ? 10_000 : 500;
/** Each method for each of the targets. */
const STREAMS = FULL ? 30 : 12;
/** Of the table, for a way that does not try all. */
const EVERY = 5;

for (const way of WAYS) {
  suiteWith(['nginx'])(`requests by ${nameOf(way)}`, () => {
    let site: Site;
    beforeAll(async () => {
      site = await startSite(way);
    }, START_MS);
    beforeEach(() => site.forget());
    afterAll(() => site?.close());

    describe('one request', () => {
      const requests = REQUESTS.filter(({ terminated }, i) => triesAll(way) || terminated || i % EVERY === 0);
      const asked = new Map<RequestCase, { plain: unknown; captured: unknown; events: unknown[] }>();
      beforeAll(async () => {
        await site.forget();
        const hosts = new Map(requests.map((request, i) => [request, `request-${i}.invalid`]));
        for (const [request, host] of hosts) {
          const plain = await served(site, site.plain, write(request, host));
          const captured = await served(site, site.captured, write(request, host));
          asked.set(request, { plain, captured, events: [] });
        }
        const events = await site.events(requests.filter((request) => !isLost(request)).length);
        for (const [request, host] of hosts) {
          const mine = events.filter((event) => event.host === host);
          const said = mine.map(({ method, ua, ref, kind }) => ({ method, ua, ref, kind }));
          asked.get(request)?.events.push(...said);
        }
      }, START_MS);

      test.each(requests.map((request) => [`${request.name} of ${request.target}`, request] as const))(
        '%s reaches the origin and is answered as without capture, and is captured once, with its kind',
        (_, request) => {
          const { plain, captured, events } = asked.get(request) ?? {};

          const { method, kind } = request;

          expect(captured).toEqual(plain);
          expect(events).toEqual(
            isLost(request) ? [] : [{ method, ua: 'agent \t"\\', ref: 'https://shop/?a b', kind }],
          );
        },
      );

      function isLost({ terminated = false }: RequestCase): boolean {
        return terminated && !way.transport.surely;
      }
    });

    test(
      'hostile headers forge no line and reach no field but their own',
      async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.tuple(anyHeader, anyHeader), { minLength: 1, maxLength: 100, size: 'max' }),
            async (pairs) => {
              await site.forget();
              const told: string[][] = [];
              for (const [i, [ref, ua]] of pairs.entries()) {
                const headers = `Host: ${i}.invalid\r\nReferer: ${ref}\r\nUser-Agent: ${ua}\r\nConnection: close\r\n\r\n`;
                await exchange(site.captured, `GET /item/4711?i=${i} HTTP/1.1\r\n${headers}`);
                const seen = readAnswer(await exchange(site.oracle, `GET /headers HTTP/1.1\r\n${headers}`));
                told.push(seen.body.toString('utf8').split('\n'));
              }
              const events = await site.events(pairs.length);
              expect(events).toHaveLength(pairs.length);
              for (const { host, uri, args, item, ip, method, ref = '', ua = '' } of events) {
                const i = Number.parseInt(host ?? '', 10);
                expect({ uri, args, item, ip, method }).toEqual({
                  uri: '/item/4711',
                  args: `i=${i}`,
                  item: '4711',
                  ip: '127.0.0.1',
                  method: 'GET',
                });
                const [toldRef = '', toldUa] = told[i] ?? [];
                // A referrer with a tab in it would move what follows the tab to the user agent: it is left out.
                expect([ref, ua]).toEqual([toldRef.includes('\t') ? '' : toldRef, toldUa]);
              }
            },
          ),
          { numRuns: FULL ? 50 : triesAll(way) ? 2 : 1 },
        );
      },
      START_MS,
    );

    test.each(['User-Agent', 'Referer', 'Host', 'X-Forwarded-For', 'X-Request-Id', 'Cookie'])(
      'every byte in %s gives one line of twelve fields, or is rejected as without capture',
      async (name) => {
        const request = `GET /item/4711 HTTP/1.1\r\n${name === 'Host' ? '' : 'Host: a.invalid\r\n'}${name}: ${name === 'Cookie' ? 'visit=' : ''}${bytes(0x01, 0xff)}\r\nConnection: close\r\n\r\n`;
        const plain = await served(site, site.plain, request);
        const captured = await served(site, site.captured, request);

        expect(captured).toEqual(plain);
        const events = await site.events(name === 'Host' ? 0 : 1);
        expect(events).toHaveLength(name === 'Host' ? 0 : 1);
        for (const event of events) expect(event).not.toHaveProperty('visitor');
      },
    );

    test('a visitor key of the shop distinguishes visitors, and is stored only as a hash', async () => {
      const cookies = ['visit=anna; a=b', 'a=b; visit=anna', 'visit=berta', 'visit=', 'other=anna'];
      for (const cookie of cookies) {
        const headers = `Host: visitor.invalid\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`;
        await exchange(
          site.captured,
          `GET /item/4711?c=${encodeURIComponent(cookie)} HTTP/1.1\r\n${headers}`,
        );
      }
      const events = await site.events(cookies.length);
      const visitors = cookies.map(
        (cookie) => events.find(({ args }) => args === `c=${encodeURIComponent(cookie)}`)?.visitor,
      );

      expect(visitors).toEqual([
        expect.stringMatching(/^[0-9a-f]{16}$/),
        visitors[0],
        expect.stringMatching(/^[0-9a-f]{16}$/),
        undefined,
        undefined,
      ]);
      expect(visitors[2]).not.toBe(visitors[0]);
    });

    test('requests in one packet are answered in order, and each is captured once', async () => {
      const requests = Array.from({ length: 20 }, (_, i) => pipelined(i, i === 19)).join('');
      const plain = await served(site, site.plain, requests);
      const captured = await served(site, site.captured, requests);

      expect(captured).toEqual(plain);
      expect((await site.events(20)).map(({ args }) => args).sort()).toEqual(
        Array.from({ length: 20 }, (_, i) => `i=${i}`).sort(),
      );
    });

    test('streams of one HTTP/2 connection are served as without capture, and each is captured once', async () => {
      const plain = await overHttp2(site.plain2);
      const plainAsked = site.origin.requests.splice(0).sort();
      const captured = await overHttp2(site.captured2);

      expect(captured).toEqual(plain);
      expect(site.origin.requests.splice(0).sort()).toEqual(plainAsked);
      const events = await site.events(captured.length);
      expect(events.map(({ args, method, host, ua }) => ({ args, method, host, ua })).sort(byArgs)).toEqual(
        captured
          .map((_, i) => ({ args: `i=${i}`, method: methodOf(i), host: 'two.invalid', ua: 'two' }))
          .sort(byArgs),
      );
    });

    test(
      'clients that reset affect no other connection, leak nothing, and are captured or counted',
      async () => {
        const [worker = 0] = await site.nginx.workers();
        const request = 'GET /item/other HTTP/1.1\r\nHost: other.invalid\r\nConnection: close\r\n\r\n';
        const page = steady(await exchange(site.captured, request));
        await settled(site, worker);
        const before = await openFiles(worker);
        for (const stage of triesAll(way) ? STAGES : STAGES.filter(({ usual }) => usual)) {
          await site.forget();
          site.sidecar.answer = stage.hangs ? 'hang' : 204;
          const clients = resetAt(stage, { port: site.captured, count: RESETS });
          expect(steady(await exchange(site.captured, request))).toBe(page);
          await clients;
          site.sidecar.answer = 204;
          await settled(site, worker);

          const views = stage.complete ? RESETS : 0;
          const lateMs = way.transport.surely ? undefined : PERHAPS_MS;
          const ids = (await site.events(views, hostOf(stage), lateMs)).map(({ id }) => id);
          const captured = new Set(ids).size;
          report(
            `${nameOf(way)}: reset ${stage.name}: ${RESETS} clients, ${captured} captured, ${views - captured} unaccounted`,
          );
          expect(ids).toHaveLength(captured);
          if (way.transport.surely) expect(captured).toBe(views);
          expect(captured).toBeLessThanOrEqual(views);
        }
        await until(async () => (await openFiles(worker)) <= before + 70, {
          timeoutMs: 60_000,
          what: 'nginx to close its connections',
        });
        expect(await site.nginx.workers()).toEqual([worker]);
      },
      START_MS,
    );

    test('the error log has no alert', async () => {
      expect(withoutLate(await site.nginx.errorLog())).not.toMatch(
        /\[(alert|emerg|crit)\]|exception|pending events/,
      );
    });
  });
}

/** What came back, and what reached the origin, over a connection of its own. */
async function served(site: Site, port: number, request: string): Promise<unknown> {
  const answer = steady(await exchange(port, request));
  return { answer, asked: site.origin.requests.splice(0) };
}

function write(
  { method, target, version = '1.1', headers = [], body = '' }: RequestCase,
  host: string,
): string {
  const lines = [
    `${method} ${target} HTTP/${version}`,
    `Host: ${host}`,
    'User-Agent: agent \t"\\',
    'Referer: https://shop/?a b',
    ...headers,
    'Connection: close',
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function pipelined(i: number, last: boolean): string {
  const target = ['/web/shelf/a', '/item/a', '/web/page/4711.html', '/file/nothing', '/stream/a'][i % 5];
  const body = i % 3 === 0 && i % 5 < 2 ? 'amount=2' : '';
  const lines = [
    `${body === '' ? 'GET' : 'POST'} ${target}?i=${i} HTTP/1.1`,
    'Host: line.invalid',
    ...(body === '' ? [] : [`Content-Length: ${body.length}`]),
    ...(last ? ['Connection: close'] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** Streams at once on one connection; their answers in the order of asking. */
async function overHttp2(port: number): Promise<unknown[]> {
  const session = connect2(`http://127.0.0.1:${port}`);
  const answers = await Promise.all(
    Array.from({ length: STREAMS }, (_, i) => {
      const target = ['/web/shelf/%3F%FF//a', '/item/a/../b;c', '/web/page/4711.html', '/file/long.bin'][
        i % 4
      ];
      const stream = session.request({
        ':method': methodOf(i),
        ':path': `${target}?i=${i}`,
        ':authority': 'two.invalid',
        'user-agent': 'two',
      });
      return new Promise<unknown>((resolve, reject) => {
        const chunks: Buffer[] = [];
        let headers: object = {};
        stream.on('response', ({ date, ...rest }) => {
          headers = { ...rest };
        });
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('error', reject);
        stream.on('end', () => resolve({ headers, body: Buffer.concat(chunks).toString('latin1') }));
        stream.end(methodOf(i) === 'POST' ? 'body'.repeat(10_000) : undefined);
      });
    }),
  );
  session.close();
  return answers;
}

function methodOf(i: number): string {
  return i % 4 < 2 && i % 3 === 0 ? 'POST' : 'GET';
}

function byArgs(a: { args?: string | undefined }, b: { args?: string | undefined }): number {
  return (a.args ?? '').localeCompare(b.args ?? '');
}

/** Waits until nginx has no client's connection open but those that a test knows of. */
async function settled(site: Site, worker: number): Promise<void> {
  let last = -1;
  await until(
    async () => {
      const now = await openFiles(worker);
      const same = now === last;
      last = now;
      return same;
    },
    { timeoutMs: 60_000, what: 'nginx to settle', everyMs: 50, detail: site.nginx.errorLog },
  );
}

async function openFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}
