import { readFile, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fromLine } from '../../event/from-line.ts';
import { nginxTemplate } from '../../nginx-setup/includes.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import { freePort } from '../parts/ports.ts';
import { askOnce } from '../parts/service.ts';
import { until } from '../parts/until.ts';
import { fieldsOf } from './nginx-line.ts';
import { PATIENT, startShop, type TestShop } from './nginx-shop.ts';
import { chooseTransport } from './transport.ts';

const START_MS = 300_000;
const PAGE = '/web/item/4711.html';
const FORGED = '203.0.113.9';

/** Every header that some proxy, framework or log processor takes an address from. */
const SPOOFED = [
  { 'X-Forwarded-For': FORGED },
  { 'X-Forwarded-For': `${FORGED}, 198.51.100.1` },
  { 'X-Forwarded-For2': FORGED },
  { 'X-Real-IP': FORGED },
  { Forwarded: `for=${FORGED};proto=https` },
  { Forwarded: `for="[2001:db8::9]:4711"` },
  { 'True-Client-IP': FORGED },
  { 'CF-Connecting-IP': FORGED },
  { 'X-Client-IP': FORGED },
  { 'Client-IP': FORGED },
  { 'X-Cluster-Client-IP': FORGED },
  { 'X-Remote-Addr': FORGED },
  { 'Remote-Addr': FORGED },
];

let shop: TestShop;
let agents: Agent[];

beforeAll(async () => {
  shop = await open('trixie');
}, START_MS);
beforeEach(async () => {
  agents = [];
  await shop.forget();
});
afterEach(async () => {
  for (const agent of agents) agent.destroy();
  expect(await shop.nginx.errorLog()).not.toMatch(/\[(alert|emerg|crit)\]|exception/);
});
afterAll(() => shop?.close());

describe('without realip.conf', () => {
  let dual: number;
  beforeAll(async () => {
    dual = await freePort();
    await listen(`[::1]:${shop.port}`, `[::]:${dual} ipv6only=off`);
  });

  test('no header changes the address', async () => {
    const lines = await seen(SPOOFED.map((headers) => ({ headers })));

    expect(lines.map(addressIn)).toEqual(SPOOFED.map((headers) => [headers, '127.0.0.1']));
    expect(lines.join('\n')).not.toMatch(/203\.0\.113|2001:db8/);
  });

  test('all of them at once do not, also over IPv6', async () => {
    const headers = Object.assign({}, ...SPOOFED);

    const lines = await seen([{ headers }, { headers, from: '::1' }]);

    expect(lines.map((line) => fieldsOf(line).ip)).toEqual(['127.0.0.1', '::1']);
  });

  test('an IPv4 client of a dual-stack socket is the IPv4 client', async () => {
    await (await askOnce(`http://127.0.0.1:${dual}${PAGE}`)).text();
    const [line] = await lines(1);

    expect(fieldsOf(line).ip).toBe('::ffff:127.0.0.1');
    expect(fromLine(line ?? '', 'web-1')).toMatchObject({ ip: '127.0.0.1' });
  });

  test('a client that sends the PROXY protocol to a plain port is not a view', async () => {
    await proxied(shop.port, `TCP4 ${FORGED} 127.0.0.1 1 2`);
    const [line] = await seen([{}]);

    expect(shop.sidecar.kept).toHaveLength(1);
    expect(fieldsOf(line).ip).toBe('127.0.0.1');
  });
});

// 127.0.0.2 and ::1 are the balancers, 127.0.0.1 is a shopper who came past them.
describe('with realip.conf', () => {
  beforeAll(async () => {
    await shop.fresh();
    await listen(`[::1]:${shop.port}`);
    await behindBalancer();
  });

  test.each([
    ['its address', '203.0.113.9', '203.0.113.9'],
    ['an IPv6 address', '2001:db8:0:0::9', '2001:db8::9'],
    ['an address after a forged one', '198.51.100.66, 203.0.113.9', '203.0.113.9'],
    ['an address and another balancer', '203.0.113.9, 127.0.0.2', '203.0.113.9'],
    ['an address with a port', '203.0.113.9:4711', '203.0.113.9'],
    ['nothing that is an address', 'unknown', '127.0.0.2'],
    ['a forged line', '203.0.113.9\tGET', '127.0.0.2'],
  ])('a trusted balancer that names %s is trusted as far as that is valid', async (_, named, ip) => {
    const [line] = await seen([{ from: '127.0.0.2', headers: { 'X-Forwarded-For': named } }]);

    expect(fieldsOf(line).ip).toBe(ip);
  });

  test('a balancer on IPv6 is trusted, too', async () => {
    const lines = await seen([
      { from: '::1', headers: { 'X-Forwarded-For': '203.0.113.9' } },
      { from: '::1', headers: { 'X-Forwarded-For': '2001:db8::9' } },
    ]);

    expect(lines.map((line) => fieldsOf(line).ip)).toEqual(['203.0.113.9', '2001:db8::9']);
  });

  test('no other client is trusted, whatever header it sends', async () => {
    const lines = await seen(SPOOFED.map((headers) => ({ headers })));

    expect(lines.map(addressIn)).toEqual(SPOOFED.map((headers) => [headers, '127.0.0.1']));
    expect(lines.join('\n')).not.toMatch(/203\.0\.113|2001:db8/);
  });

  test('another header that a balancer passes on from a shopper is not trusted', async () => {
    const others = SPOOFED.filter((headers) => !('X-Forwarded-For' in headers));
    const lines = await seen(others.map((headers) => ({ from: '127.0.0.2', headers })));

    expect(lines.map((line, i) => [others[i], fieldsOf(line).ip])).toEqual(
      others.map((headers) => [headers, '127.0.0.2']),
    );
  });
});

describe('with realip.conf for another header', () => {
  test.each(['CF-Connecting-IP', 'True-Client-IP'])('a CDN names the client in %s', async (header) => {
    await shop.fresh();
    await behindBalancer(header);

    const lines = await seen([
      { from: '127.0.0.2', headers: { [header]: '203.0.113.9', 'X-Forwarded-For': '198.51.100.66' } },
      { from: '127.0.0.1', headers: { [header]: '203.0.113.9' } },
    ]);

    expect(lines.map((line) => fieldsOf(line).ip)).toEqual(['203.0.113.9', '127.0.0.1']);
  });
});

describe('with realip.conf for the PROXY protocol', () => {
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    await shop.fresh();
    await listen(`127.0.0.1:${port} proxy_protocol`);
    await behindBalancer('proxy_protocol');
  });

  test.each([
    ['127.0.0.2', 'TCP4 203.0.113.9 127.0.0.1 1 2', '203.0.113.9'],
    ['127.0.0.2', 'TCP6 2001:db8::9 ::1 1 2', '2001:db8::9'],
    ['127.0.0.2', 'UNKNOWN', '127.0.0.2'],
    ['127.0.0.1', 'TCP4 203.0.113.9 127.0.0.1 1 2', '127.0.0.1'],
  ])('%s says "PROXY %s": the client is %s', async (from, header, ip) => {
    await proxied(port, header, from);

    const [line] = await lines(1);
    expect(fieldsOf(line).ip).toBe(ip);
  });
});

describe('Sec-GPC and DNT', () => {
  const ASKED = [
    { 'Sec-GPC': '1' },
    { 'Sec-GPC': '1', DNT: '1' },
    { 'Sec-GPC': '1', DNT: '0' },
    { 'Sec-GPC': '1', DNT: 'null' },
    { DNT: '1' },
    { DNT: '1', 'Sec-GPC': '0' },
  ];
  const NOT_ASKED = [
    {},
    { 'Sec-GPC': '0' },
    { DNT: '0' },
    { DNT: 'null' },
    { 'Sec-GPC': 'yes' },
    { DNT: '1/1' },
  ];

  beforeEach(() => shop.fresh());

  test('each is a view like any other by default', async () => {
    expect(await seen(ASKED.map((headers) => ({ headers })))).toHaveLength(ASKED.length);
  });

  test('with privacy.conf no such request is a view, and each gets its page; others are views', async () => {
    await honour(await nginxTemplate('privacy.conf.example'));

    for (const headers of ASKED) {
      const { status, body } = await shop.get(PAGE, { headers });
      expect({ headers, status }).toEqual({ headers, status: 200 });
      expect(body).toContain('<title>');
    }
    // Those after them are captured, so these would have been before.
    const lines = await seen(NOT_ASKED.map((headers) => ({ headers })));

    expect(shop.sidecar.arrived).toHaveLength(NOT_ASKED.length);
    expect(await shop.spilled()).toEqual([]);
    const views = lines.map(fieldsOf).map(({ ip, uri }) => ({ ip, uri }));
    expect(views).toEqual(NOT_ASKED.map(() => ({ ip: '127.0.0.1', uri: PAGE })));
  });

  test('with privacy.conf the log transport writes nothing of such a view', async () => {
    await shop.edit(
      `include "${shop.folder}/hotitem/log-cut.conf";`,
      `include "${shop.folder}/hotitem/log.conf";`,
    );
    await shop.edit('capture-subrequest.conf', 'capture-log.conf');
    await honour(await nginxTemplate('privacy.conf.example'));

    await shop.get(PAGE, { headers: { 'Sec-GPC': '1' } });
    await shop.get(`${PAGE}?other`);
    const logged = await until(
      async () => {
        const written = await shop.spilled();
        return written.length > 0 ? written : undefined;
      },
      { timeoutMs: 60_000, what: 'the other line', detail: shop.nginx.errorLog },
    );

    expect(logged.map((line) => fieldsOf(line).uri)).toEqual([`${PAGE}?other`]);
  });

  test('with privacy.conf the transport batch stores nothing of such views', async () => {
    await chooseTransport(join(shop.folder, 'nginx.conf'), 'batch');
    await honour(await nginxTemplate('privacy.conf.example'));

    for (const headers of ASKED) expect((await shop.get(PAGE, { headers })).status).toBe(200);
    await shop.get(`${PAGE}?other`);
    const posted = (await lines(1)).join('').split('\n').slice(0, -1);

    expect(posted.map((line) => fieldsOf(line).uri)).toEqual([`${PAGE}?other`]);
    expect(await shop.spilled()).toEqual([]);
  });

  test('with a privacy.conf for version 1 of the line, which upgrades do not change, is counted accordingly', async () => {
    const bare =
      '"1$hotitem_sampled\\t$msec\\t$request_id\\t\\t$request_method\\t$host\\t$request_uri\\t$hotitem_item_safe\\t\\t"';
    await honour(`"1/" ${bare};\n`);

    const [asked, other] = await seen([{ headers: { 'Sec-GPC': '1', 'User-Agent': 'a' } }, {}]);

    expect(fromLine(asked ?? '', 'web-1')).toMatchObject({ uri: PAGE, item: '4711', method: 'GET' });
    expect(fromLine(asked ?? '', 'web-1')).not.toHaveProperty('ua');
    expect(fieldsOf(other)).toMatchObject({ version: '2', ip: '127.0.0.1' });
  });

  test('with the alternative in it is counted without address, referrer and user agent', async () => {
    const example = await nginxTemplate('privacy.conf.example');
    const bare = /^# ("2\$hotitem_sampled.*")$/m.exec(example)?.[1] ?? '';
    await honour(example.replaceAll('""', () => bare));
    const personal = { 'User-Agent': 'Mozilla/5.0', Referer: 'https://www.example.com/me' };

    const [asked, other] = await seen([{ headers: { ...personal, 'Sec-GPC': '1' } }, { headers: personal }]);

    expect(fieldsOf(asked)).toMatchObject({ ip: '', referrer: '', agent: '', uri: PAGE, item: '4711' });
    expect(fieldsOf(other)).toMatchObject({ ip: '127.0.0.1', agent: 'Mozilla/5.0' });
    const event = fromLine(asked ?? '', 'web-1');
    expect(event).toMatchObject({ uri: PAGE, item: '4711' });
    expect(Object.keys(event)).toEqual(expect.not.arrayContaining(['ip', 'ua', 'ref']));
  });
});

describe.each<Suite>(['bookworm', 'sid'])('nginx of %s', (suite) => {
  test(
    'accepts realip.conf and privacy.conf',
    async () => {
      await shop.close();
      shop = await open(suite);
      await behindBalancer();
      await honour(await nginxTemplate('privacy.conf.example'));

      const from = '127.0.0.2';
      const headers = { 'X-Forwarded-For': '2001:db8::9' };
      await shop.get(PAGE, { headers: { 'Sec-GPC': '1' } });
      const [line] = await seen([{ from, headers }]);

      expect(shop.sidecar.arrived).toHaveLength(1);
      expect(fieldsOf(line).ip).toBe('2001:db8::9');
    },
    START_MS,
  );
});

async function open(suite: Suite): Promise<TestShop> {
  const opened = await startShop({ build: await obtainNginx({ suite, report: () => {} }), waits: PATIENT });
  await opened.sidecar.start();
  return opened;
}

type View = { headers?: Record<string, string>; from?: string };

/** Views the page so often, one after the other, and returns the lines of it. */
async function seen(views: View[]): Promise<string[]> {
  for (const { headers = {}, from = '127.0.0.1' } of views) {
    // What an agent says goes before what the request says.
    const agent = new Agent({ host: from === '::1' ? '::1' : '127.0.0.1', localAddress: from });
    agents.push(agent);
    expect((await shop.get(PAGE, { headers, agent })).status).toBe(200);
  }
  return lines(views.length);
}

/** Of the line of each of SPOOFED, in their order. */
function addressIn(line: string, i: number) {
  return [SPOOFED[i], fieldsOf(line).ip];
}

function lines(count: number): Promise<string[]> {
  return until(() => (shop.sidecar.kept.length >= count ? shop.sidecar.kept : undefined), {
    timeoutMs: 60_000,
    what: `${count} lines at the sidecar`,
    detail: shop.nginx.errorLog,
  });
}

async function listen(...addresses: string[]): Promise<void> {
  const first = `listen 127.0.0.1:${shop.port};`;
  await shop.edit(first, [first, ...addresses.map((address) => `listen ${address};`)].join('\n        '));
  await shop.nginx.reload();
}

/** The example, with this machine's addresses in place of its own. */
async function behindBalancer(header = 'X-Forwarded-For'): Promise<void> {
  const example = await nginxTemplate('realip.conf.example');
  const path = join(shop.folder, 'realip.conf');
  const mine = example
    .replace('192.0.2.10', '127.0.0.2')
    .replace('2001:db8:10::/64', '::1')
    .replace(/^real_ip_header .*$/m, `real_ip_header ${header};`);
  await writeFile(path, mine);
  await shop.edit('/http.conf";\n', `/http.conf";\n    include "${path}";\n`);
  await shop.nginx.reload();
}

/** Puts `privacy` where an operator does. */
async function honour(privacy: string): Promise<void> {
  const dir = join(shop.folder, 'hotitem');
  await writeFile(join(dir, 'privacy.conf'), privacy);
  await takeIn(dir);
  await shop.nginx.reload();
}

/** What line.conf says of privacy.conf, where it does not say it yet. */
async function takeIn(dir: string): Promise<void> {
  const path = join(dir, 'line.conf');
  const text = await readFile(path, 'utf8');
  if (text.includes('privacy.con[f]')) return;
  const head = 'map $request_id $hotitem_line {';
  expect(text).toContain(head);
  const taken = `map "$http_sec_gpc/$http_dnt" $hotitem_line {\n    include "${dir}/privacy.con[f]";`;
  await writeFile(
    path,
    text.replace(head, () => taken),
  );
}

/** Views the page with a header of the PROXY protocol before the request. Resolves when nginx has closed the connection. */
function proxied(port: number, header: string, from = '127.0.0.1'): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, localAddress: from });
    socket.on('error', reject).on('close', () => resolve());
    socket.resume();
    socket.write(`PROXY ${header}\r\nGET ${PAGE} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n`);
  });
}
