import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { connect as connectHttp2, constants } from 'node:http2';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Suite } from '../../provision/versions.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { type PhpFpmPart, startPhpFpm } from '../parts/php-fpm.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { obtainPhpFpm } from '../provision/php-fpm.ts';
import { ask, type Reply } from './nginx-ask.ts';
import { HOSTILE } from './nginx-protect-origin.ts';
import { HOST, type More, type ProtectSite, startProtectSite } from './nginx-protect-site.ts';

import { exchange, openSocket, steady } from './nginx-requests-wire.ts';

const START_MS = 300_000;
/** Shoppers of one page at once. */
const CROWD = 5;
const SUITES: Suite[] = FULL ? ['trixie', 'bookworm', 'sid'] : ['trixie'];

describe.each(SUITES)('a hot item and nginx of %s', (suite) => {
  let site: ProtectSite;
  beforeAll(async () => {
    site = await startProtectSite(suite);
  }, START_MS);
  afterAll(() => site?.close());
  beforeEach(() => {
    site.makeHot();
    site.origin.asked.length = 0;
  });

  suiteWith(['nginx'])('share its page:', () => {
    test.each([
      ['in place', '/item/place.html'],
      ['rewritten', '/web/item/rewritten.html'],
      ['behind try_files', '/tried/item/tried.html'],
    ])('%s, with the first shopper as with the last', async (_, path) => {
      const item = /(\w+)\.html/.exec(path)?.[1] ?? '';
      const { body } = await site.share(path, item);
      site.origin.asked.length = 0;

      const pages = await Promise.all(Array.from({ length: 20 }, () => site.get(path)));

      expect(new Set(pages.map((page) => page.body))).toEqual(new Set([body]));
      expect(site.origin.asked).toEqual([]);
    });

    test('an item that is no longer hot is asked for at the origin at once, one that is hot again is filled before', async () => {
      const { body } = await site.share('/item/left.html', 'left');
      site.makeHot();
      expect((await site.get('/item/left.html')).body).not.toBe(body);
      const again = await site.share('/item/left.html', 'left');
      expect(again.body).not.toBe(body);
      expect((await site.get('/item/left.html')).body).toBe(again.body);
    });

    test.each(['?utm_source=mail&utm_campaign=x', '?gclid=Abc-_1', '?fbclid=a%20b&utm_id=', '?srsltid', '?'])(
      'an ad click shares the entry: %s',
      async (query) => {
        const { body } = await site.share('/item/ad.html', 'ad');
        site.origin.asked.length = 0;
        expect((await site.get(`/item/ad.html${query}`)).body).toBe(body);
        expect(site.origin.asked).toEqual([]);
      },
    );

    test.each([
      '_ga=GA1.2.3; _gid=1',
      '_ga_ABC=1;_fbp=fb.1',
      'OptanonConsent=a=b&c',
      'CookieConsent={a:1}; _gcl_au=1',
    ])('cookies of scripts in the browser share the entry: %s', async (cookie) => {
      const { body } = await site.share('/item/analytics.html', 'analytics');
      expect((await site.get('/item/analytics.html', { headers: { cookie } })).body).toBe(body);
    });

    test('HEAD, a condition and a language share the entry', async () => {
      site.origin.answers.etag = (_, response, page) => response.writeHead(200, { ETag: '"1"' }).end(page);
      const { body } = await site.share('/item/etag.html', 'etag');
      site.origin.asked.length = 0;

      const head = await site.get('/item/etag.html', { method: 'HEAD' });
      const known = await site.get('/item/etag.html', { headers: { 'if-none-match': '"1"' } });
      const german = await site.get('/item/etag.html', {
        headers: { 'accept-language': 'de', accept: 'text/html,*/*' },
      });

      expect(head).toMatchObject({
        status: 200,
        body: '',
        headers: { etag: '"1"' },
      });
      expect(known).toMatchObject({ status: 304, body: '' });
      expect(german.body).toBe(body);
      expect(site.origin.asked).toEqual([]);
    });
  });

  suiteWith(['nginx'])('leave all else as it is:', () => {
    test("a cold page's If-None-Match, Range and HEAD reach the origin", async () => {
      const headers = [
        'If-None-Match: "1"',
        'If-Modified-Since: x',
        'Range: bytes=0-3',
        'If-Range: "2"',
        'Cookie: a=b; c',
        'X-Odd: \xff\t',
      ];
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'BREW']) {
        for (const target of [
          '/item/cold.html?x=%2F%3f&y',
          '/item/a%2Fb//c/../d.html',
          '/tried/item/\xff.html',
        ]) {
          const request = [
            `${method} ${target} HTTP/1.1`,
            `Host: ${HOST}`,
            ...headers,
            'Content-Length: 0',
            'Connection: close',
            '\r\n',
          ];
          const [plain, ours] = [site.plainPort, site.port].map((port) =>
            exchange(port, request.join('\r\n')),
          );
          await plain;
          const [plainPage, page] = await Promise.all([plain, ours]);
          const [first, second] = site.origin.asked.splice(0);
          expect(second).toEqual(first);
          expect(pageOf(page)).toBe(pageOf(plainPage));
        }
      }
    });

    test.each([
      ['a cookie that is not listed', { headers: { cookie: 'session=alice' } }],
      ['one among listed ones', { headers: { cookie: '_ga=1; session=alice; _gid=2' } }],
      ['a listed name in a value', { headers: { cookie: 'session=_ga=1' } }],
      ['a name that ends like a listed one', { headers: { cookie: 'x_ga=1' } }],
      ['a cookie without a value', { headers: { cookie: 'alice' } }],
      ['two cookie headers', { headers: { cookie: ['_ga=1', 'session=alice'] } }],
      ['a login', { headers: { authorization: 'Basic YWxpY2U6YQ==' } }],
      ['a range', { headers: { range: 'bytes=0-3' } }],
      ['an XMLHttpRequest', { headers: { 'x-requested-with': 'XMLHttpRequest' } }],
      ['data', { headers: { accept: 'application/json' } }],
      ['a part for htmx', { headers: { 'hx-request': 'true' } }],
      ['another method in a header', { headers: { 'x-http-method-override': 'DELETE' } }],
      ['another path in a header', { headers: { 'x-original-url': '/admin' } }],
      ['POST', { method: 'POST', body: 'a=b' }],
      ['PUT', { method: 'PUT', body: 'a=b' }],
    ] satisfies [string, More][])(
      '%s goes to the origin of a hot item, with all that was sent',
      async (_, more: More) => {
        const { body } = await site.share('/item/other.html', 'other');
        site.origin.asked.length = 0;

        const page = await site.get('/item/other.html', more);

        expect(page.body).not.toBe(body);
        expect(site.origin.asked).toMatchObject([
          { method: more.method ?? 'GET', headers: sentHeaders(more.headers) },
        ]);
      },
    );

    test.each([
      '/item/other.html?color=red',
      '/item/other.html?utm_source=a&color=red',
      '/item/other.html?gclidx=1',
      '/item/other.html?x=utm_source=1',
      '/item/other.html?personal=1',
      '/item/other.html;x.css',
      '/item/other',
      '/item/%6fther.html',
      '//item/other.html',
      '/item/./other.html',
      '/item/x/../other.html',
    ])('%s does not get the entry', async (path) => {
      const { body } = await site.share('/item/other.html', 'other');
      expect((await site.get(path)).body).not.toBe(body);
    });

    test.each(['other.test', 'second.test', 'evil.test'])('host %s does not get the entry', async (host) => {
      const { body } = await site.share('/item/other.html', 'other');
      expect((await site.get('/item/other.html', { headers: { host } })).body).not.toBe(body);
    });

    test('a page behind a password asks for it, hot or not', async () => {
      site.makeHot('locked');
      expect((await site.keep('fill', '/locked/item/locked.html')).status).toBe(401);
      expect((await site.get('/locked/item/locked.html')).status).toBe(401);
      expect(site.origin.asked).toEqual([]);
    });

    test('a part of a page (SSI) is never kept, even if the keeper asks for that page', async () => {
      await site.keep('fill', '/parts.html');
      site.makeHot('parts', 'part');
      const parts = [await site.get('/parts.html'), await site.get('/parts.html')].map(({ body }) => body);
      expect(parts[0]).toMatch(/^parts: page/);
      expect(parts[1]).not.toBe(parts[0]);
    });

    test('an error page is not kept as the page', async () => {
      site.origin.answers.missing = HOSTILE.missing ?? fail();
      await site.keep('fill', '/error/item/missing.html');
      site.makeHot('missing');
      const before = site.origin.asked.length;
      expect((await site.get('/error/item/missing.html')).status).toBe(404);
      expect(site.origin.asked.length - before).toBe(2);
    });

    test('a page that sets a cookie gets no slower when hot', async () => {
      const waiting: (() => void)[] = [];
      // Answers nobody before all have asked: where one waits for another, none is answered.
      site.origin.answers.crowd = (_, response, page) => {
        waiting.push(() => response.writeHead(200, { 'Set-Cookie': 'session=1' }).end(page));
        if (waiting.length === 20) for (const answer of waiting) answer();
      };
      site.makeHot('crowd');
      const pages = await Promise.all(Array.from({ length: 20 }, () => site.get('/item/crowd.html')));
      expect(pages.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    });
  });

  suiteWith(['nginx'])('keep nobody’s page:', () => {
    test.each([
      ['x-forwarded-proto', 'https'],
      ['x-forwarded-host', 'other.test'],
      ['x-forwarded-port', '8443'],
      ['front-end-https', 'on'],
      ['cf-visitor', '{"scheme":"https"}'],
    ])('who came to a load balancer another way (%s) does not get the page', async (name, value) => {
      const { body } = await site.share('/item/balanced.html', 'balanced');
      const headers = { [name]: value };
      expect((await site.get('/item/balanced.html', { headers })).body).not.toBe(body);
      const filled = await site.keep('fill', '/item/balanced.html', { headers });
      expect((await site.get('/item/balanced.html', { headers })).body).toBe(filled.body);
      expect((await site.get('/item/balanced.html')).body).toBe(body);
    });

    test("a page filled with Alice's cookie never reaches Bob", async () => {
      // As applications do: a cookie for who has none, and a page for who has one.
      site.origin.answers.greeting = ({ headers }, response, page) => {
        if (headers.cookie === undefined) response.setHeader('Set-Cookie', 'session=new');
        response.end(headers.cookie === undefined ? 'hello stranger' : page);
      };
      site.makeHot('greeting');
      const [known, tracked] = [{ cookie: 'session=alice' }, { cookie: '_ga=alice' }];
      for (const headers of [known, tracked])
        expect((await site.get('/item/greeting.html', { headers })).body).toContain('alice');
      expect((await site.keep('fill', '/item/greeting.html', { headers: known })).body).toContain('alice');
      expect((await site.keep('fill', '/item/greeting.html', { headers: tracked })).body).toContain('alice');

      const bob = [
        await site.get('/item/greeting.html'),
        await site.get('/item/greeting.html', { headers: { cookie: '_ga=bob' } }),
      ];

      expect(bob.map(({ body }) => body).join()).not.toContain('alice');
    });

    test('nothing that a shopper sends is in a page that another one gets', async () => {
      site.makeHot('echo');
      const alice = {
        cookie: '_ga=alice',
        referer: 'alice',
        'user-agent': 'alice',
        'accept-language': 'alice',
        'x-forwarded-host': 'alice.test',
        'x-forwarded-for': '198.51.100.1',
        'if-none-match': '"alice"',
      };
      for (const method of ['GET', 'HEAD'])
        await site.get('/item/echo.html?utm_source=alice', { method, headers: alice });
      expect((await site.get('/item/echo.html')).body).not.toContain('alice');
    });

    test.each(Object.keys(HOSTILE))(
      'what is %s is never stored, and not even on the keeper’s word',
      async (kind) => {
        const path = `/item/${kind}.html`;
        await site.keep('fill', path).catch(() => undefined);
        const looked = await site.keep('look', path).catch(() => undefined);
        expect(looked?.headers['x-hotitem-keeper'] ?? 'look MISS').toBe('look MISS');
        site.makeHot(kind);
        const before = site.origin.asked.length;
        await site.get(path).catch(() => undefined);
        expect(site.origin.asked.length).toBeGreaterThan(before);
      },
    );

    test.each(Object.keys(HOSTILE))('nobody waits for another one’s page that is %s', async (kind) => {
      const { get } = site;
      const held: (() => void)[] = [];
      // Answers nobody before all have asked: where one waits for another, none is answered.
      site.origin.answers[kind] = (...asked) => {
        held.push(() => HOSTILE[kind]?.(...asked));
        if (held.length === CROWD) for (const answer of held) answer();
      };
      site.makeHot(`${kind}1`);
      const ask = () =>
        get(`/item/${kind}1.html`).then(
          ({ status }) => status,
          () => 0,
        );
      const statuses = await Promise.all(Array.from({ length: CROWD }, ask));
      site.origin.answers[kind] = HOSTILE[kind] ?? fail();
      expect(held).toHaveLength(CROWD);
      expect(new Set(statuses).size).toBe(1);
    });

    test('a cookie is not stored where nginx is told to ignore cookies', async () => {
      await site.keep('fill', '/ignoring/item/cookie.html');
      expect((await site.keep('look', '/ignoring/item/cookie.html')).headers['x-hotitem-keeper']).toBe(
        'look MISS',
      );
    });

    test('what the keeper asks for by HEAD is not the page', async () => {
      await site.keep('fill', '/item/headed.html', { method: 'HEAD' });
      expect((await site.keep('look', '/item/headed.html')).headers['x-hotitem-keeper']).toBe('look MISS');
    });

    test('what varies by encoding alone is one page', async () => {
      site.origin.answers.encoding = (_, response, page) =>
        response.writeHead(200, { Vary: 'Accept-Encoding' }).end(page);
      const { body } = await site.share('/item/encoding.html', 'encoding');
      expect(
        (await site.get('/item/encoding.html', { headers: { 'accept-encoding': 'gzip, br' } })).body,
      ).toBe(body);
    });

    test('a page that begins to set a cookie is not stored, and no later one carries it', async () => {
      const { body } = await site.share('/item/turning.html', 'turning');
      site.origin.answers.turning = HOSTILE.cookie ?? fail();
      expect((await site.keep('fill', '/item/turning.html')).headers['set-cookie']).toEqual(['session=1']);
      const page = await site.get('/item/turning.html');
      expect([page.body, page.headers['set-cookie']]).toEqual([body, undefined]);
    });

    test('a shopper’s phone gets another path’s page from the origin', async () => {
      await site.share('/mobile/item/device.html', 'device');
      const phone = await site.get('/mobile/item/device.html', { headers: { 'user-agent': 'phone' } });
      expect(phone.body).toContain('/phone/item/device.html');
    });
  });

  suiteWith(['nginx'])('take the time to live that we say:', () => {
    test('a max-age of an hour does not outlive the time to live, nor does an origin that is dead', async () => {
      site.origin.answers.hour = (_, response, page) =>
        response
          .writeHead(200, {
            'Cache-Control': 'public, max-age=3600',
            Expires: 'Thu, 01 Jan 2099 00:00:00 GMT',
            'X-Accel-Expires': '3600',
          })
          .end(page);
      site.makeHot('hour');
      // Again where the machine takes longer than the second for which it is kept.
      const body = await until(
        async () => {
          const filled = await site.keep('fill', '/brief/item/hour.html');
          return (await site.get('/brief/item/hour.html')).body === filled.body && filled.body;
        },
        { timeoutMs: 60_000, what: 'an entry' },
      );
      site.origin.answers.hour = (request) => request.socket.destroy();
      const page = await until(
        async () => {
          const reply = await site.get('/brief/item/hour.html');
          return reply.body === body ? undefined : reply;
        },
        { timeoutMs: 60_000, what: 'the entry to expire' },
      );
      expect(page.status).toBe(502);
    });
  });

  function limited(path: string, addressOf?: (nth: number) => string): Promise<Reply[]> {
    const headersOf = (nth: number) => (addressOf ? { headers: { 'X-Client': addressOf(nth) } } : {});
    return Promise.all(Array.from({ length: 40 }, (_, nth) => site.get(path, headersOf(nth))));
  }

  /** All replies, once one is a rejection: a busy machine may ask no faster than the limit allows. */
  async function untilLimited(path: string, addressOf?: (nth: number) => string): Promise<Reply[]> {
    const replies: Reply[] = [];
    const isRejected = async () => {
      replies.push(...(await limited(path, addressOf)));
      return replies.some(({ status }) => status === 429);
    };
    await until(isRejected, { timeoutMs: 60_000, what: 'a rejection' });
    return replies;
  }

  suiteWith(['nginx'])('say what became of its requests:', () => {
    const of = (item: string) => site.shared().filter(([, line]) => line.split('\t')[1] === item);
    /** Once a request after all others is logged: there is one worker. */
    const words = async (item: string) => {
      await site.share('/item/lastone.html', 'lastone');
      site.makeHot(item, 'lastone');
      const before = of('lastone').length;
      await site.get('/item/lastone.html');
      await until(() => of('lastone').length > before, { timeoutMs: 60_000, what: 'the last line' });
      return of(item).map(([, line]) => {
        const [page = '', , result = '', end = ''] = line.split('\t');
        return `${page}${result && ` ${result}`}${end === 'ok' ? '' : ` ${end}`}`;
      });
    };
    const times = (word: string, list: string[]) => list.filter((one) => one === word).length;

    test('what nginx answers by itself has not reached the origin', async () => {
      await site.share('/item/counted.html', 'counted');
      writeFileSync(join(site.folder, 'counted.html'), 'a file');
      expect((await site.get('/moved/item/counted.html')).status).toBe(301);
      expect((await site.get('/files/item/counted.html')).body).toBe('a file');
      expect((await site.get('/files/item/counted.html', { method: 'POST' })).status).toBe(405);
      expect((await site.get('/closed/item/counted.html')).status).toBe(502);
      site.act('limit', 'counted');
      const replies = await untilLimited('/limited/item/counted.html');
      const rejected = replies.filter(({ status }) => status === 429).length;
      const said = await words('counted');
      expect([times(' limited rejected', said), times('unkept passed', said)]).toEqual([
        rejected,
        replies.length - rejected,
      ]);
      expect(said.filter((word) => !/limited|passed/.test(word))).toEqual(['', '', '', ' error']);
    });

    test('how a request ended is told once, whoever answered it', async () => {
      site.origin.answers.ended = (request, response, page) =>
        response.writeHead(Number(/\?(\d+)/.exec(request.url ?? '')?.[1] ?? 200)).end(page);
      writeFileSync(join(site.folder, 'sorry.html'), 'sorry');
      site.act('announce', 'ended');
      const ends: [string, number, string, More?][] = [
        ['/item/ended.html', 200, 'unkept'],
        ['/item/ended.html', 200, 'unkept', { method: 'HEAD' }],
        ['/item/ended.html?404', 404, 'unkept not_found'],
        ['/item/ended.html?410', 410, 'unkept not_found'],
        ['/item/ended.html?429', 429, 'unkept rejected'],
        ['/item/ended.html?500', 500, 'unkept error'],
        ['/item/ended.html?403', 403, 'unkept'],
        ['/files/item/ended.html', 404, ' not_found'],
        ['/closed/item/ended.html', 502, ' error'],
        ['/moved/item/ended.html', 301, ''],
        // An error page with another status, and another upstream.
        ['/sorry/item/ended.html?503', 200, 'unkept error'],
        ['/sorry/item/ended.html?404', 200, 'unkept'],
        ['/backup/item/ended.html?503', 200, 'unkept'],
      ];
      const replies: number[] = [];
      for (const [path, , , more] of ends) replies.push((await site.get(path, more)).status);
      expect(replies).toEqual(ends.map(([, status]) => status));
      expect(await words('ended')).toEqual(ends.map(([, , word]) => word));
    });

    test('an item that is not hot has no dead ends', async () => {
      expect((await site.get('/files/item/chilly.html')).status).toBe(404);
      expect(await words('chilly')).toEqual([]);
    });

    test("an error behind a stale page of the shop's own cache is no dead end", async () => {
      let status = 200;
      site.origin.answers.lasting = (_, response, page) => {
        // Stored, and expired at once.
        response.writeHead(status, { 'X-Accel-Expires': '@1' }).end(page);
      };
      site.act('announce', 'lasting');
      const { body } = await site.get('/lasting/item/lasting.html');
      status = 500;
      expect(await site.get('/lasting/item/lasting.html')).toMatchObject({ status: 200, body });
      expect(site.origin.asked.length).toBe(2);
      expect(await words('lasting')).toEqual(['unkept', 'unkept']);
    });

    test('who leaves before the end of the answer is told, before its first byte and after', async () => {
      let held = 0;
      site.origin.answers.slow = (request, response) => {
        if (request.url?.endsWith('?begun')) {
          response.writeHead(200, { 'Content-Length': 1_000_000 }).write('x'.repeat(100_000));
        }
        held++;
      };
      site.act('announce', 'slow');
      const isHeld = (count: number) =>
        until(() => held === count, { timeoutMs: 60_000, what: 'the origin to be asked' });
      for (const [i, path] of ['/item/slow.html', '/item/slow.html?begun'].entries()) {
        const client = await openSocket(site.port);
        client.write(`GET ${path} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
        if (i === 0) await isHeld(1);
        else await once(client, 'data');
        client.resetAndDestroy();
        const session = connectHttp2(`http://127.0.0.1:${site.http2Port}`);
        const stream = session.request({ ':path': path, ':authority': HOST });
        if (i === 0) await isHeld(2);
        else await once(stream, 'data');
        stream.close(constants.NGHTTP2_CANCEL);
        await once(stream, 'close');
        session.close();
      }
      await until(() => of('slow').length === 4, { timeoutMs: 60_000, what: 'four lines' });
      expect(await words('slow')).toEqual(Array.from({ length: 4 }, () => 'unkept left'));
    });

    test('a limit on trial says of each request whether it would be limited, also of a file and of a page of the cache', async () => {
      writeFileSync(join(site.folder, 'trial.html'), 'a file');
      // One request is counted once, whatever it is redirected to.
      const [pages, files]: [Reply[], Reply[]] = [[], []];
      // Again where a busy machine asks no faster than the limit allows.
      const isTold = async () => {
        site.act('limit', 'trial');
        pages.push(...(await limited('/tolerant/item/trial.html')));
        files.push(...(await limited('/trial/item/trial.html')));
        const said = await words('trial');
        const [would, wouldFile] = [times('unkept would_limit', said), times(' would_limit', said)];
        return would > 0 && wouldFile > 0 ? { said, would, wouldFile } : undefined;
      };
      const { said, would, wouldFile } = await until(isTold, { timeoutMs: 60_000, what: 'the limit' });
      expect(statuses([...pages, ...files])).toEqual({ 200: pages.length + files.length });
      expect([times('unkept passed', said), times(' passed', said), said.length]).toEqual([
        pages.length - would,
        files.length - wouldFile,
        pages.length + files.length,
      ]);
    });

    test('a limit of the shop is not taken for ours, nor told when to come again', async () => {
      site.act('limit', 'stern');
      const replies = [await site.get('/strict/item/stern.html'), await site.get('/strict/item/stern.html')];
      expect(replies.map(({ status }) => status)).toContain(503);
      expect(replies.map(({ headers }) => headers['retry-after'])).toEqual([undefined, undefined]);
      // Its zone comes first, and rejects: ours does not look.
      await limited('/both/item/stern.html');
      expect((await words('stern')).filter((word) => /limit/.test(word))).toEqual([]);
    });

    test('the keeper is not counted as a visitor', async () => {
      site.act('limit', 'keeper');
      const asked = await Promise.all(
        Array.from({ length: 40 }, () => site.keep('probe', '/limited/item/keeper.html')),
      );
      expect(statuses(asked)).toEqual({ 200: 40 });
      expect((await site.keep('probe', '/closed/item/keeper.html')).status).toBe(502);
      expect(await words('keeper')).toEqual([]);
    });

    test('shared is a page of the cache; all that reached the origin have the reason', async () => {
      await site.share('/item/told2.html', 'told2');
      await site.get('/item/told2.html');
      await site.get('/item/told2.html', { headers: { cookie: 'session=1' } });
      await site.get('/item/told2.html?utm_source=mail');
      await site.get('/announced/item/told2.html');
      await site.keep('look', '/item/told2.html');
      site.makeHot();
      site.act('announce', 'told2');
      await site.get('/item/told2.html');
      // Of a server that does not protect its pages.
      await site.get('/item/told2.html', { headers: { host: 'hot.test' } });
      expect(await words('told2')).toEqual(['shared', 'own', 'shared', 'missing', 'unkept', 'unkept']);
    });

    test('while the folder is full nothing is written', async () => {
      const full = join(site.folder, 'intake.sock.full');
      const get = () => site.get('/item/fullone.html', { headers: { host: 'hot.test' } });
      site.makeHot('fullone');
      writeFileSync(full, '');
      await get();
      rmSync(full);
      await get();
      expect(await words('fullone')).toEqual(['unkept']);
    });

    test('where capture is off, its file is one of the minute, too', async () => {
      await site.edit('/http-log.conf', '/off.conf');
      site.makeHot('minute');
      await site.get('/item/minute.html', { headers: { cookie: 'session=1' } });
      await until(() => of('minute').length > 0, { timeoutMs: 60_000, what: 'the line' });
      const names = of('minute').map(([name]) => name);
      await site.edit('/off.conf', '/http-log.conf');
      expect(names).toEqual([expect.stringMatching(/^shared-\d{4}-\d\d-\d\dT\d\d:\d\d\.tsv$/)]);
    });
  });

  suiteWith(['nginx'])('do what else is to be done:', () => {
    test('a limit that is on trial rejects nobody, and says whom it would', async () => {
      site.act('limit', 'tolerant');
      const isSaid = async () => {
        expect(statuses(await limited('/tolerant/item/tolerant.html'))).toEqual({ 200: 40 });
        return (await site.nginx.errorLog()).includes('limiting requests, dry run');
      };
      await until(isSaid, { timeoutMs: 60_000, what: 'the limit to be exceeded' });
    });

    test('a limit rejects who asks too often for a hot item, says when to come again, and knows no other item', async () => {
      site.act('limit', 'limited');
      const replies = await untilLimited('/limited/item/limited.html');
      const rejected = replies.filter(({ status }) => status === 429);
      expect(replies.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(21);
      expect(new Set(rejected.map(({ headers }) => headers['retry-after']))).toEqual(new Set(['10']));
      expect(statuses(await limited('/limited/item/another.html'))).toEqual({ 200: 40 });
      site.act('cache', 'limited');
      expect(statuses(await limited('/limited/item/limited.html'))).toEqual({ 200: 40 });
    });

    const NETWORKS: [network: string, addressOf: (network: number, host: number) => string][] = [
      ['without zeros', (network, host) => `2001:db8:1:${network.toString(16)}:1:2:3:${host.toString(16)}`],
      ['with zeros behind it', (network, host) => `2001:db8:1:${network.toString(16)}::${host.toString(16)}`],
      ['with zeros in it', (network, host) => `2001:${network.toString(16)}::${host.toString(16)}`],
      [
        'with zeros in it and behind it',
        (network, host) => `2001:${network.toString(16)}::1:2:3:${host.toString(16)}`,
      ],
      ['with zeros between', (network, host) => `2001::${network.toString(16)}:1:2:3:${host.toString(16)}`],
    ];
    test.each(NETWORKS)(
      'the limit takes a network of 64 bits %s for one visitor',
      async (name, addressOf) => {
        const item = name.replaceAll(' ', '-');
        site.act('limit', item);
        const path = `/limited/item/${item}.html`;
        expect(statuses(await limited(path, (nth) => addressOf(0xa00 + nth, 1)))).toEqual({ 200: 40 });
        await untilLimited(path, (nth) => addressOf(0xb00, 1 + nth));
      },
    );

    test.each([
      ['itself', '192.0.2.'],
      ['mapped into IPv6', '::ffff:198.51.100.'],
      ['translated to IPv6', '64:ff9b::203.0.113.'],
      ['translated to IPv6 within a site', '64:ff9b:1::203.0.113.'],
    ])('the limit takes each address of IPv4, %s, for a visitor', async (name, network) => {
      const item = name.replaceAll(' ', '-');
      site.act('limit', item);
      const replies = await limited(`/limited/item/${item}.html`, (nth) => `${network}${nth}`);
      expect(statuses(replies)).toEqual({ 200: 40 });
    });

    test('an isolated item takes a few connections of the origin, and who must wait comes again by himself', async () => {
      const held: (() => void)[] = [];
      site.origin.answers.held = (_, response, page) => held.push(() => response.end(page));
      site.act('isolate', 'held');
      const asked = Array.from({ length: 10 }, () => site.get('/isolated/item/held.html'));
      const cold = Array.from({ length: 10 }, () => site.get('/isolated/item/held2.html'));
      await until(() => held.length === 12, { timeoutMs: 60_000, what: 'twelve requests at the origin' });
      const busy = await Promise.race(asked);
      for (const answer of held) answer();

      expect(busy).toMatchObject({ status: 503, headers: { 'cache-control': 'no-store' } });
      expect(busy.headers.refresh).toMatch(/^(?:4|6|9|13)$/);
      expect(busy.body).toContain('One moment');
      expect(statuses(await Promise.all(asked))).toEqual({ 200: 2, 503: 8 });
      expect(statuses(await Promise.all(cold))).toEqual({ 200: 10 });
    });

    test('X-Hot-Item from a client does not reach the origin', async () => {
      const headers = { 'x-hot-item': 'surge' };
      await site.get('/announced/item/calm.html', { headers });
      site.act('announce', 'calm');
      await site.get('/announced/item/calm.html', { headers });
      expect(site.origin.asked.map(({ headers: sent }) => sent['x-hot-item'])).toEqual([undefined, 'hot']);
    });
  });

  suiteWith(['nginx'])('hear the keeper alone:', () => {
    test('the keeper is told what nginx did, and nobody else is', async () => {
      const told = async (mode: 'probe' | 'fill' | 'look') =>
        (await site.keep(mode, '/item/told.html')).headers['x-hotitem-keeper'];
      expect([await told('look'), await told('fill'), await told('look'), await told('probe')]).toEqual(
        ['look MISS', 'fill BYPASS', 'look HIT', 'probe '].map((text) => text.trimEnd()),
      );
      site.makeHot('told');
      expect((await site.get('/item/told.html')).headers).not.toHaveProperty('x-hotitem-keeper');
      expect(await site.keep('look', '/_hotitem/keeper')).toMatchObject({
        status: 200,
        body: 'http://shop.test\n?\n',
      });
      expect((await site.keep('look', '/_hotitem/keeper?utm_source=a&gclid=b')).body).toBe(
        'http://shop.test\n?\n',
      );
      expect((await site.keep('look', '/_hotitem/keeper?color=red')).body).toBe('http://shop.test\n\n');
      expect((await site.get('/_hotitem/keeper')).status).toBe(404);
    });

    test('a probe reaches the origin as a shopper’s request, and stores nothing', async () => {
      const headers = { 'user-agent': 'phone', 'accept-language': 'de', 'accept-encoding': 'gzip' };
      await site.keep('probe', '/item/probed.html', { headers });
      expect(site.origin.asked).toMatchObject([{ headers }]);
      expect((await site.keep('look', '/item/probed.html')).headers['x-hotitem-keeper']).toBe('look MISS');
    });

    test("the keeper's port is the only one that may store", async () => {
      const word = `hotitem-fill=${site.word}`;
      const agent = new Agent();
      const tries: [string, number, Record<string, string>][] = [
        ['the port of the shop', site.port, { 'keep-alive': word }],
        ['no word', site.keeperPort, {}],
        ['another word', site.keeperPort, { 'keep-alive': `hotitem-fill=${'0'.repeat(64)}` }],
        ['a part of it', site.keeperPort, { 'keep-alive': word.slice(0, -1) }],
        ['more than it', site.keeperPort, { 'keep-alive': `${word}0` }],
        ['a way out of the folder', site.keeperPort, { 'keep-alive': 'hotitem-fill=../cache/i.stored' }],
        ['another mode', site.keeperPort, { 'keep-alive': `hotitem-store=${site.word}` }],
        ['a login with it', site.keeperPort, { 'keep-alive': word, authorization: 'Basic x' }],
      ];
      site.makeHot('stored');
      for (const [what, port, headers] of tries) {
        await ask({ port, path: '/item/stored.html', headers: { host: HOST, ...headers }, agent });
        const { headers: told } = await site.keep('look', '/item/stored.html');
        expect([what, told['x-hotitem-keeper']]).toEqual([what, 'look MISS']);
      }
      agent.destroy();
    });

    test('another address of this host is not the keeper’s', async () => {
      const request = `GET /_hotitem/keeper HTTP/1.1\r\nHost: ${HOST}\r\nKeep-Alive: hotitem-look=${site.word}\r\nConnection: close\r\n\r\n`;
      const [right, wrong] = [
        await exchange(site.keeperPort, request),
        await exchange(site.keeperPort, request, '127.0.0.7'),
      ];
      expect([right, wrong].map((bytes) => bytes.toString('latin1', 9, 12))).toEqual(['200', '404']);
    });

    test('a word is worth nothing without its file', async () => {
      const headers = { 'keep-alive': `hotitem-look=${'a'.repeat(64)}` };
      expect((await site.keep('look', '/_hotitem/keeper', { headers })).status).toBe(404);
    });

    test('the origin does not see the word', async () => {
      for (const mode of ['probe', 'fill', 'look'] as const) await site.keep(mode, '/item/word.html');
      expect(site.origin.asked).toHaveLength(2);
      expect(JSON.stringify(site.origin.asked)).not.toContain(site.word);
    });

    test.each([
      ['a query that may change the page', '/item/queried.html?color=red', {}],
      ['what a shopper adds to the address', '/item/queried.html?utm_content=evil', {}],
      ['a page of the keeper’s own country', '/item/queried.html', { 'x-country': 'ZZ' }],
    ])('%s is not filled', async (_, path, headers) => {
      const told = await site.keep('fill', path, { headers });
      expect(told.headers['x-hotitem-keeper']).toBe('fill');
      expect((await site.keep('look', '/item/queried.html')).headers['x-hotitem-keeper']).toBe('look MISS');
    });

    test('what it asks for is no view', async () => {
      for (const mode of ['probe', 'fill', 'look'] as const) await site.keep(mode, '/item/keepersown.html');
      await site.get('/item/shoppers.html');
      await until(() => site.lines().includes('shoppers'), {
        timeoutMs: 60_000,
        what: 'the line of the shopper',
      });
      expect(site.lines()).not.toContain('keepersown');
    });

    test('with off-protect.conf all stays valid, nothing is shared, and X-Hot-Item is removed all the same', async () => {
      const output = expect.not.stringMatching(/\[(?:warn|error|emerg)\]/);
      expect(await site.nginx.test()).toEqual({ ok: true, output });
      const { body } = await site.share('/item/off.html', 'off');
      await site.edit('/http-protect.conf', '/off-protect.conf');
      expect(await site.nginx.test()).toEqual({ ok: true, output });
      expect((await site.get('/item/off.html')).body).not.toBe(body);
      expect((await site.keep('fill', '/item/off.html')).headers).not.toHaveProperty('x-hotitem-keeper');
      expect(
        (await site.get('/announced/item/off.html', { headers: { 'x-hot-item': 'hot' } })).body,
      ).not.toContain('x-hot-item');
      await site.edit('/off-protect.conf', '/http-protect.conf');
      expect((await site.get('/item/off.html')).body).toBe(body);
    });

    test('the error log has no alert', async () => {
      expect(await site.nginx.errorLog()).not.toMatch(/\[(alert|emerg|crit)\]/);
    });
  });
});

/** A front controller: one script for all pages, which gives newcomers a session. */
const FRONT_CONTROLLER = `<?php
if (str_contains($_SERVER['REQUEST_URI'], 'session') && $_COOKIE === []) setcookie('PHPSESSID', 'x');
header('Content-Type: text/html');
$sent = array_filter($_SERVER, fn($name) => str_starts_with($name, 'HTTP_') && $_SERVER[$name] !== '', ARRAY_FILTER_USE_KEY);
echo $_SERVER['REQUEST_METHOD'], ' ', $_SERVER['REQUEST_URI'], ' ', json_encode($sent), ' ', hrtime(true);
`;

describe.each(SUITES)('a hot item in PHP and nginx of %s', (suite) => {
  suiteWith(['nginx', 'php-fpm'])('share its page:', () => {
    let site: ProtectSite;
    let php: PhpFpmPart;
    let removePages: () => void;
    beforeAll(async () => {
      const { path: pages, remove } = temporaryFolder('protect-php');
      removePages = remove;
      writeFileSync(join(pages, 'index.php'), FRONT_CONTROLLER);
      php = await startPhpFpm(await obtainPhpFpm({ report: () => {} }), pages);
      site = await startProtectSite(suite, { php: { socket: php.socket, pages } });
    }, START_MS);
    afterAll(async () => {
      await site?.close();
      await php?.stop();
      removePages?.();
    });

    test('shoppers share the page of their item, and never that of another', async () => {
      const pages = [
        await site.share('/shop/item/one.html', 'one'),
        await site.share('/shop/item/two.html', 'two'),
      ];
      site.makeHot('one', 'two');
      const got = [
        await site.get('/shop/item/one.html?gclid=1'),
        await site.get('/shop/item/two.html', { headers: { cookie: '_ga=1' } }),
      ];
      expect(got.map(({ body }) => body)).toEqual(pages.map(({ body }) => body));
      expect(got[1]?.body).toContain('/item/two.html');
    });

    test('PHP sees neither the word nor a client’s X-Hot-Item', async () => {
      const { body } = await site.keep('fill', '/shop/item/word.html', { headers: { 'x-hot-item': 'hot' } });
      expect(body).toContain('"HTTP_HOST":"shop.test"');
      expect(body).not.toMatch(/KEEP_ALIVE|HOT_ITEM|hotitem/);
      site.act('announce', 'word');
      expect((await site.get('/shop/item/word.html')).body).toContain('"HTTP_X_HOT_ITEM":"hot"');
    });

    test('a page that gives newcomers a session is not stored', async () => {
      await site.keep('fill', '/shop/item/session.html');
      expect((await site.keep('look', '/shop/item/session.html')).headers['x-hotitem-keeper']).toBe(
        'look MISS',
      );
    });

    test.each([
      ['a cookie', 'GET', { cookie: 'PHPSESSID=alice' }, 'HTTP_COOKIE":"PHPSESSID=alice'],
      ['a condition, of a cold item', 'GET', { 'if-none-match': '"1"' }, 'HTTP_IF_NONE_MATCH'],
      ['POST', 'POST', {}, 'POST /shop'],
    ])('%s reaches PHP', async (_, method, headers, text) => {
      site.makeHot('reached');
      const item = 'if-none-match' in headers ? 'cold' : 'reached';
      expect((await site.get(`/shop/item/${item}.html`, { method, headers })).body).toContain(text);
    });
  });
});

function statuses(replies: Reply[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of replies) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function pageOf(bytes: Buffer | undefined): string {
  return steady(bytes ?? Buffer.alloc(0)).replace(/page \d+ /, 'page ');
}

function sentHeaders(headers: More['headers'] = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join('; ') : String(value),
    ]),
  );
}

function fail(): never {
  throw new Error('no such answer');
}
