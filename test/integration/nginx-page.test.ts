import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createCore } from '../../app/core.ts';
import { wireAdmin } from '../../app/wire-admin.ts';
import { type Part, wireSidecar } from '../../app/wire-sidecar.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import type { Suite } from '../../provision/versions.ts';
import { loadConfig } from '../../service/config/config.ts';
import { FULL } from '../parts/full.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { type NginxPart, startNginx } from '../parts/nginx.ts';
import { temporaryPaths } from '../parts/nginx-conf.ts';
import { freePorts } from '../parts/ports.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';

jest.setTimeout(180_000);
const SUITES: Suite[] = FULL ? ['trixie', 'bookworm', 'sid'] : ['trixie'];
const NAME = 'hot.shop.example';
const SSO_NAME = 'sso.shop.example';
const TOKEN = 'Zm9yIGEgdGVzdC4gMzIgcmFuZG9tIGJ5dGVzIG9yIG1vcmU';
const LOGIN = `Basic ${btoa('anna:secret')}`;
/** Of the admin listener in any service. */
const OF_LISTENER = ['/livez', '/readyz', '/metrics'];
/** What is not for others. A new route is either here, or in page.conf. */
const HIDDEN = [
  ...OF_LISTENER,
  '/api/v1/accounting',
  '/api/v1/catalogue',
  '/api/v1/hot',
  '/api/v1/hot/ban',
  '/api/v1/hot/clear',
  '/api/v1/hot/freeze',
  '/api/v1/hot/pin',
  '/api/v1/hot/thaw',
  '/api/v1/purge',
];
const EXAMPLE = readFileSync(join(import.meta.dirname, '../../nginx/examples/page.conf'), 'utf8');
const DOCS = readFileSync(join(import.meta.dirname, '../../docs/publish-page.md'), 'utf8');
/** Answered by nginx in place of the sidecar. */
const REPLACED = '/api/v1/control';
const LOCATIONS = [...EXAMPLE.matchAll(/^ *location = (\S+)/gm)].map(([, path = '']) => path);
const PUBLISHED = LOCATIONS.filter((path) => path !== REPLACED);

/** What a sidecar answers itself has this, and what nginx answers has not. */
const OF_SIDECAR = 'cross-origin-resource-policy';

describe.each(SUITES)('page.conf on nginx of %s', (suite) => {
  let folder: string;
  let remove: () => void;
  let port: number;
  let nginx: NginxPart;
  let part: Part;
  let core: ReturnType<typeof createCore>;
  let spy: Server;
  let identity: Server;
  let seen: { url: string; headers: IncomingHttpHeaders }[];

  beforeAll(async () => {
    ({ path: folder, remove } = temporaryFolder('nginx-page'));
    const ports = await freePorts(4);
    port = ports[0] ?? 0;
    const [, admin, spyPort, identityPort] = ports;
    writeFileSync(join(folder, 'token'), TOKEN, { mode: 0o600 });
    core = createCore(
      loadConfig({
        env: {},
        flags: {
          home: join(folder, 'home'),
          'admin-listen': `127.0.0.1:${admin}`,
          'admin-allowed-hosts': `${NAME},${SSO_NAME}`,
          'admin-control-token-file': join(folder, 'token'),
          'log-level': 'error',
        },
      }),
    );
    mkdirSync(join(folder, 'home'));
    part = await wireSidecar(core);
    await wireAdmin(core, 'listen', part);
    seen = [];
    spy = createServer(({ url = '', headers }, response) => {
      seen.push({ url, headers });
      response.end('seen');
    }).listen(spyPort, '127.0.0.1');
    identity = createServer(({ headers }, response) => {
      response.writeHead(/_oauth2_proxy=anna/.test(headers.cookie ?? '') ? 202 : 401).end();
    }).listen(identityPort, '127.0.0.1');
    const config = join(folder, 'nginx.conf');
    writeFileSync(join(folder, 'htpasswd'), 'anna:{PLAIN}secret\n');
    writeFileSync(
      config,
      `# The folder is for root only, and a worker reads the passwords.
user root;
worker_processes 1;
pid "${folder}/nginx.pid";
error_log "${folder}/error.log";
events {}
http {
${temporaryPaths(folder)}
access_log off;
# A shop's own, which must not come on top.
add_header Content-Security-Policy "default-src https://shop.example";
server { listen 127.0.0.1:${port} default_server; return 444; }
${page(NAME, `127.0.0.1:${admin}`)}
${page('spy.shop.example', `127.0.0.1:${spyPort}`)}
${withSingleSignOn(page(SSO_NAME, `127.0.0.1:${admin}`), `127.0.0.1:${identityPort}`)}
}
`,
    );
    const build = await obtainNginx({ suite, report: () => {} });
    nginx = await startNginx({ build, prefix: folder, config });
  }, 300_000);
  afterAll(async () => {
    await nginx?.close();
    await core?.shutdown.run();
    spy?.close();
    identity?.close();
    remove();
  });

  suiteWith(['nginx'])('publishes the page, and nothing else:', () => {
    test('each route of the sidecar is either in page.conf or named as hidden', () => {
      const routes = [
        ...OF_LISTENER,
        ...Object.keys(part.routes),
        ...Object.keys(part.actions?.routes ?? {}),
      ];
      expect(routes.filter((route) => !LOCATIONS.includes(route)).sort()).toEqual([...HIDDEN].sort());
    });

    test('what is published is answered by the sidecar, to who has a password', async () => {
      const routes = Object.keys(part.routes).filter((route) => PUBLISHED.includes(route));
      expect(routes).toEqual(expect.arrayContaining(['/', '/page.js', '/api/v1/live']));
      for (const path of routes) {
        expect([path, (await get(path, {})).status]).toEqual([path, 401]);
        const wrong = { authorization: `Basic ${btoa('anna:wrong')}` };
        expect([path, (await get(path, wrong)).status]).toEqual([path, 401]);
        const { status, headers } = await get(path);
        // Without parameters some say what is missing.
        expect([200, 400]).toContain(status);
        expect(headers).toMatchObject({ [OF_SIDECAR]: 'same-origin', 'x-robots-tag': 'noindex, nofollow' });
        expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'self'/);
      }
    });

    test.each(HIDDEN)(
      '%s does not exist outside, with a password, a token, and any method or spelling',
      async (path) => {
        const login = { authorization: LOGIN };
        const bearer = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
        const tries = spellingsOf(path).flatMap((spelling) => [
          ...['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS'].map((method) => ({
            spelling,
            method,
            headers: login,
          })),
          { spelling, method: 'POST', headers: bearer },
        ]);
        const answers = await Promise.all(
          tries.map(async ({ spelling, method, headers }) => {
            const answer = await get(spelling, headers, method);
            return [spelling, method, answer.status, OF_SIDECAR in answer.headers];
          }),
        );
        expect(
          answers.filter(
            ([, , status, isOfSidecar]) => isOfSidecar || ![400, 404, 405].includes(Number(status)),
          ),
        ).toEqual([]);
      },
    );

    test('the page does not offer control outside, where the sidecar would allow it', async () => {
      expect(
        part.routes[REPLACED]?.(new URL('http://host/'), new AbortController().signal, ''),
      ).toMatchObject({
        body: '{"control":true}\n',
      });
      const { headers, body } = await get(REPLACED);
      expect([body, headers[OF_SIDECAR]]).toEqual(['{"control":false}', undefined]);
    });

    test('nothing can be changed at what is published', async () => {
      for (const path of PUBLISHED)
        expect((await get(path, { authorization: LOGIN }, 'POST')).status).toBe(405);
    });

    test('no cookie, password or body reaches the sidecar; the address of the client does', async () => {
      const cookie = 'PHPSESSID=alice; cart=7';
      const headers = {
        authorization: LOGIN,
        cookie,
        'x-real-ip': '203.0.113.9',
        'sec-fetch-site': 'same-origin',
      };
      expect((await get('/api/v1/items?window=5m', headers, 'GET', 'spy.shop.example')).body).toBe('seen');
      const [asked] = seen;
      expect(asked?.url).toBe('/api/v1/items?window=5m');
      expect(asked?.headers).toMatchObject({
        host: 'spy.shop.example',
        'x-real-ip': '127.0.0.1',
        'sec-fetch-site': 'same-origin',
      });
      for (const name of ['cookie', 'authorization', 'content-length', 'transfer-encoding'])
        expect(asked?.headers).not.toHaveProperty(name);
    });

    test('the sidecar refuses other sites and other hosts through it', async () => {
      const headers = { authorization: LOGIN, 'sec-fetch-site': 'cross-site' };
      expect((await get('/api/v1/items', headers)).status).toBe(403);
      expect(
        (await get('/api/v1/items', { authorization: LOGIN, origin: 'https://evil.example' })).status,
      ).toBe(403);
      await expect(get('/', { authorization: LOGIN }, 'GET', 'evil.example')).rejects.toThrow();
    });

    test('events of the stream come one by one as they are sent', async () => {
      const events = await eventsOf({ authorization: LOGIN }, NAME);
      expect(events.slice(0, 2)).toEqual(['snapshot', 'change']);
    });

    test('single sign-on as in the docs: without it to the login, with it to the page', async () => {
      const anna = { cookie: '_oauth2_proxy=anna' };
      expect(await get('/', {}, 'GET', SSO_NAME)).toMatchObject({
        status: 302,
        headers: { location: `http://${SSO_NAME}:${port}/oauth2/sign_in?rd=http://${SSO_NAME}/` },
      });
      expect((await get('/', anna, 'GET', SSO_NAME)).status).toBe(200);
      expect((await get('/oauth2/auth', anna, 'GET', SSO_NAME)).status).toBe(404);
      expect((await get('/metrics', anna, 'GET', SSO_NAME)).status).toBe(404);
      expect((await eventsOf(anna, SSO_NAME)).length).toBeGreaterThan(1);
    });
  });

  /** The example as it is shipped, but for names, addresses, TLS and the place of the passwords. */
  function page(name: string, sidecar: string): string {
    return EXAMPLE.replaceAll('hot.shop.example', name)
      .replaceAll('127.0.0.1:9180', sidecar)
      .replace('listen 443 ssl;', `listen 127.0.0.1:${port};`)
      .replace(/^ *ssl_certificate.*\n/gm, '')
      .replaceAll('/etc/nginx/hotitem.htpasswd', join(folder, 'htpasswd'));
  }

  function withSingleSignOn(server: string, address: string): string {
    const [, lines = ''] = /```nginx\n([\s\S]*?)```/.exec(DOCS) ?? [];
    return server
      .replace(/^ *auth_basic.*\n/gm, '')
      .replace('satisfy all;', `satisfy all;\n${lines.replaceAll('127.0.0.1:4180', address)}`);
  }

  function get(
    path: string,
    headers: Record<string, string> = { authorization: LOGIN },
    method = 'GET',
    host = NAME,
  ): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port, path, method, headers: { host, ...headers }, agent: false },
        (response) => {
          const { statusCode: status = 0, headers } = response;
          let body = '';
          const done = () => resolve({ status, headers, body });
          response.on('data', (chunk) => {
            body += chunk;
            // A stream does not end.
            if (headers['content-type']?.startsWith('text/event-stream')) response.destroy();
          });
          response.on('close', done);
        },
      );
      asked.on('error', reject);
      asked.end(method === 'POST' || method === 'PUT' ? '{"item":"4711"}' : undefined);
    });
  }

  async function eventsOf(headers: Record<string, string>, host: string): Promise<string[]> {
    let text = '';
    const asked = request({
      host: '127.0.0.1',
      port,
      path: '/api/v1/live',
      headers: { host, ...headers },
      agent: false,
    });
    asked.on('error', () => {});
    asked.on('response', (response) => response.on('data', (chunk) => (text += chunk)));
    asked.end();
    const names = () => [...text.matchAll(/^event: (\w+)$/gm)].map(([, name = '']) => name);
    try {
      return await until(() => (names().length > 2 ? names() : undefined), {
        timeoutMs: 60_000,
        what: 'three events',
        detail: () => nginx.errorLog(),
      });
    } finally {
      asked.destroy();
    }
  }
});

/** An address in the ways that a client can write it. */
function spellingsOf(path: string): string[] {
  const last = path.slice(-1).charCodeAt(0).toString(16);
  return [
    path,
    `${path}?verbose`,
    `${path}/`,
    `/${path}`,
    `/api/v1/live/../..${path}`,
    `/page.js/..${path}`,
    `/%2e${path}`,
    `${path.slice(0, -1)}%${last}`,
    `${path};x`,
    `/api/v1/items%2f..%2f..%2f..${path}`,
  ];
}
