import { createServer } from 'node:net';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Suite } from '../../provision/versions.ts';
import { FULL } from '../parts/full.ts';
import { suiteWith } from '../parts/suite.ts';
import { HTTP_BLOCK, HTTP_SERVER, INHERITED_SERVERS } from './nginx-inherited-cases.ts';
import { comparePages, type Outcome } from './nginx-pages-site.ts';

const RUN_MS = 600_000;

/** By `npm test` one nginx has all, and the oldest and the newest a third. */
const EVERY = 3;
const NGINX: [Suite, 'njs' | 'qjs'][] = [
  ['bookworm', 'njs'],
  ['trixie', 'njs'],
  ...(FULL ? [['sid', 'njs'] satisfies [Suite, 'njs']] : []),
  ['sid', 'qjs'],
];
const SUITES = NGINX.map(([suite]) => suite);
const ANSWERS = [
  ['delivered', 204],
  ['spilled', 503],
  ['spilled by way of the breaker', 'none'],
] as const;

for (const [suite, engine] of NGINX) {
  const hasAll = FULL || suite === 'trixie';
  suiteWith(['nginx'])(`what our locations inherit, on nginx of ${suite} with ${engine}`, () => {
    describe.each(ANSWERS.slice(0, hasAll ? 2 : 1))(
      'does not affect pages, and each view is %s, with',
      (_, sidecar) => {
        const servers = INHERITED_SERVERS.filter(
          (_, i) => FULL || (hasAll && sidecar === 204) || i % EVERY === SUITES.indexOf(suite),
        );
        let outcomes: Map<string, Outcome>;
        beforeAll(async () => {
          const found = await comparePages({ suite, engine, servers, sidecar });
          outcomes = new Map(found.map((outcome) => [outcome.server.name, outcome]));
        }, RUN_MS);

        test.each(servers.map(({ name }) => name))('%s', (name) => {
          unchanged(outcomes.get(name));
        });
      },
    );

    test.each(ANSWERS.slice(0, hasAll ? undefined : 1))(
      'does not affect pages, and each view is %s, with a whole http block',
      async (_, sidecar) => {
        const proxy = await startProxy();
        const http = `${HTTP_BLOCK}\n${scriptsOf(suite, engine, proxy.port)}`;
        try {
          const [outcome] = await comparePages({ suite, engine, servers: [HTTP_SERVER], sidecar, http });
          unchanged(outcome);
          expect(proxy.connections()).toBe(0);
        } finally {
          await proxy.close();
        }
      },
      RUN_MS,
    );
  });
}

function unchanged(outcome: Outcome | undefined): void {
  const { plain, captured = [], server } = outcome ?? {};
  const used = captured.filter(({ transport }) => !server?.without?.includes(transport));
  expect(used.length).toBeGreaterThan(0);
  for (const { transport, seen, views, lines } of used) {
    expect(views.length).toBeGreaterThan(0);
    expect({ transport, ...seen, lines }).toEqual({ transport, ...plain, lines: views });
  }
}

/** What scripts of the shop's own may need; of js_fetch_proxy see fetch-njs.conf. */
function scriptsOf(suite: Suite, engine: string, proxy: number): string {
  if (suite === 'bookworm') return '';
  const small = 'js_fetch_timeout 1ms; js_fetch_buffer_size 64; js_fetch_max_response_buffer_size 1;';
  return engine === 'qjs' ? `${small} js_fetch_proxy http://127.0.0.1:${proxy};` : small;
}

async function startProxy() {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(address !== null && typeof address === 'object' ? address.port : 0);
    });
  });
  return {
    port,
    connections: () => connections,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
