import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkNginx } from '../../nginx-setup/check/check-nginx.ts';
import { obtainNginx } from '../../provision/nginx.ts';
import { FULL } from '../parts/full.ts';
import type { Reply } from './nginx-ask.ts';
import { startShop, type TestShop } from './nginx-shop.ts';

const SERVERS = 300;
/** HOTITEM_TEST_SEED: other rules than usual. */
const SEED = Number(process.env.HOTITEM_TEST_SEED ?? 13);
const whenFull = FULL ? test : test.skip;

/** What shops have above server.conf, of which some come out otherwise for a subrequest. */
const RULES = [
  'set $a 1;',
  'set $b "";',
  'set $a $http_x;',
  'set $c $uri;',
  'set $b $args;',
  'set $c "$a-$b";',
  'set $b $mapped;',
  'set $a "$a+";',
  'if ($http_x) { set $a x; }',
  'if ($args) { set $b q; }',
  'if ($args = "") { set $c none; }',
  'if ($uri ~ ^/item/1) { set $c one; }',
  'if ($a = x) { set $b ax; }',
  'if ($request_method = POST) { set $a p; }',
  'if ($request_uri ~ ^/(?<lang>it)) { set $b $lang; }',
  'if ($mapped) { set $c m; }',
  'if ($http_x = y) { return 403; }',
  'if ($a = x) { return 410; }',
  'if ($b = q) { return 409; }',
  'if ($uri ~ ^/_) { return 404; }',
  'if ($arg_z) { return 402; }',
  'if (-f $document_root/none) { return 503; }',
  'if ($http_x !~ "") { break; }',
  'rewrite ^/old(.*)$ /item$1 last;',
  'rewrite ^/(item/2)$ /two/$1;',
  'rewrite ^/([^/]+)/capture$ /item/$1;',
];
const LATER = ['', 'if ($http_x) { set $b later; }', 'set $a later;', 'rewrite ^/item/3 /item/three break;'];

const servers = fc.sample(
  fc.record({
    above: fc.array(fc.constantFrom(...RULES), { minLength: 1, maxLength: 5 }),
    later: fc.constantFrom(...LATER),
  }),
  { numRuns: SERVERS, seed: SEED },
);
const REQUESTS = [
  { path: '/item/1' },
  { path: '/item/2?q=1' },
  { path: '/item/3', headers: { x: 'x' } },
  { path: '/item/4?z=1', headers: { x: 'z' } },
  { path: '/old/5?q', method: 'POST' },
  { path: '/de/6', headers: { x: 'y' } },
];

let shop: TestShop | undefined;
afterAll(() => shop?.close());

whenFull(
  `rules above server.conf that check has nothing against leave every page as it is (seed ${SEED})`,
  async () => {
    const build = await obtainNginx({ suite: 'trixie', report: () => {} });
    shop = await startShop({ build });
    const { folder, port, edit, nginx, sidecar, origin } = shop;
    await sidecar.start();
    const text = servers.flatMap((server, i) =>
      ['plain', 'captured'].map((kind) => serverText(server, i, kind)),
    );
    await edit(
      'charset utf-8;',
      `charset utf-8; server_names_hash_max_size 4096;\n${DEFINED}\n${text.join('\n')}\n`,
    );
    await nginx.reload();
    const { findings } = await checkNginx({
      command: build.command,
      conf: join(folder, 'nginx.conf'),
      sidecar: { socket: join(folder, 'intake.sock'), spill: join(folder, 'spill') },
    });
    const harmful = new Set(
      findings.flatMap(({ id, what }) =>
        id === 'server-conf-too-late' ? [Number(/ in server s(\d+)\.captured$/.exec(what)?.[1])] : [],
      ),
    );

    const differing = [];
    for (const i of servers.keys()) {
      const [plain, captured] = [await answers(i, 'plain'), await answers(i, 'captured')];
      if (JSON.stringify(plain) !== JSON.stringify(captured))
        differing.push({ i, ...servers[i], plain, captured });
    }
    expect(differing.filter(({ i }) => !harmful.has(i))).toEqual([]);
    // Else this shows nothing.
    expect(differing.length).toBeGreaterThan(10);
    expect(SERVERS - harmful.size).toBeGreaterThan(40);

    function serverText({ above, later }: (typeof servers)[number], i: number, kind: string): string {
      const [guard, capture] =
        kind === 'captured'
          ? [
              `include "${folder}/hotitem/server.conf";`,
              `include "${folder}/hotitem/capture-subrequest.conf";`,
            ]
          : ['', ''];
      return `server { listen 127.0.0.1:${port}; server_name s${i}.${kind}; root /usr; ${above.join(' ')} ${guard}
      location / { ${capture} ${later} proxy_pass http://127.0.0.1:${origin.port}; add_header X-Vars "$a|$b|$c|$lang" always; } }`;
    }

    async function answers(i: number, kind: string): Promise<unknown[]> {
      const found: unknown[] = [];
      for (const { path, ...more } of REQUESTS) {
        const headers = { ...('headers' in more ? more.headers : {}), host: `s${i}.${kind}` };
        const reply: Reply | undefined = await shop?.get(path, { ...more, headers });
        found.push([path, reply?.status, reply?.headers['x-vars'], reply?.status === 200 ? reply.body : '']);
      }
      return found;
    }
  },
  600_000,
);

const DEFINED = `map "" $defined { "~(?<a>.)(?<b>.)(?<c>.)(?<lang>.)" ""; } map $uri $mapped { default ""; ~^/item 1; ~^/_ 2; }`;
