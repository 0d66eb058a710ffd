import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderShop } from '../demo/shop.ts';
import { createHotFolder } from '../heat/hot-folder.ts';
import type { NginxBuild } from '../provision/nginx.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { type NginxPart, startNginx } from '../test/parts/nginx.ts';
import { temporaryPaths, WORKER_USER } from '../test/parts/nginx-conf.ts';
import { freePorts } from '../test/parts/ports.ts';
import { obtainWrk } from '../test/provision/wrk.ts';
import type { BenchOptions, Case, Table, Target } from './bench.ts';
import type { Edge } from './edge.ts';
import { sample } from './sample.ts';
import { median, round } from './statistics.ts';
import { atMost } from './target.ts';

/** CPU of a worker, µs a view. */
const MOST_US = 2;
const TICK_MS = 100;
const CAPTURE = /^\s*include "[^"]*\/(?:capture-subrequest|log-cut)\.conf";\n/gm;
/** What an operator adds for protection; the look for hot items is there in both. */
const PROTECTION = /^\s*include "[^"]*\/(?:http-protect|server-protect|cache|log-shared)\.conf";\n/gm;
const PASS = /proxy_pass http:\/\/([\d.:]+);/;

const WAYS = ['plain', 'protected'] as const;
type Way = (typeof WAYS)[number];

/** What protection costs nginx for a view of an item that is not hot, as nearly all are. Each round runs both ways. */
export async function measureCold({
  build,
  quick,
  report,
}: Pick<BenchOptions, 'quick' | 'report'> & { build: NginxBuild }): Promise<{
  table: Table;
  target: Target;
}> {
  const wrk = await obtainWrk(report);
  const [rounds, seconds] = quick ? [1, 1] : [8, 2];
  const { path: folder, remove } = temporaryFolder('cold');
  const memory = temporaryFolder('cold', '/dev/shm');
  const hot = createHotFolder({ dir: join(memory.path, 'hot'), now: Date.now, warn: () => {} });
  hot.update([{ item: 'another', actions: ['cache'] }]);
  const ticking = setInterval(hot.tick, TICK_MS);
  const origin = await startFastOrigin(build, folder);
  try {
    const edges = {
      plain: await edgeOf('plain', origin.address),
      protected: await edgeOf('protected', origin.address),
    };
    const costs: Record<Way, number[]> = { plain: [], protected: [] };
    for (let i = 1; i <= rounds; i++) {
      for (const way of i % 2 === 0 ? WAYS.toReversed() : WAYS) {
        const { nginxCpu, views } = await sample({ edge: edges[way], wrk, seconds });
        costs[way].push(nginxCpu / views);
      }
      report(`round ${i} of ${rounds}: a cold view`);
    }
    const added = median(costs.protected.map((cost, i) => cost - (costs.plain[i] ?? Number.NaN)));
    const [plain, ours] = [median(costs.plain), median(costs.protected)];
    const row: Case = {
      case: `nginx ${build.version}`,
      plain_us: round(plain, 2),
      protected_us: round(ours, 2),
      added_us: round(added, 2),
      ratio: round(ours / plain, 3),
    };
    return {
      table: { title: 'nginx CPU a view of a cold item, proxied, with and without protection', cases: [row] },
      target: atMost('cold: added CPU of nginx, µs a view', added, MOST_US),
    };
  } finally {
    clearInterval(ticking);
    hot.stop();
    await origin.nginx.close();
    memory.remove();
    remove();
  }

  async function edgeOf(way: Way, origin: string): Promise<Edge> {
    const [port = 0, breaker, keeper] = await freePorts(3);
    const { conf, errorLog } = await renderShop({
      example: 'protect',
      folder: join(folder, way),
      listen: `127.0.0.1:${port}`,
      breaker: `127.0.0.1:${breaker}`,
      keeper: `127.0.0.1:${keeper}`,
      cache: join(folder, way, 'cache'),
      socket: join(memory.path, 'intake.sock'),
      spill: join(folder, way, 'spill'),
      hot: join(memory.path, 'hot'),
      origin,
      workers: 1,
      ...(build.modules.js && { module: build.modules.js }),
      ...(process.getuid?.() === 0 && { user: 'root' }),
    });
    const text = readFileSync(conf, 'utf8');
    if (!PASS.test(text)) throw new Error('the example protect.conf has another proxy_pass');
    // `access_log off` would switch off log-shared.conf, too.
    const log = way === 'plain' ? 'access_log off;' : '';
    const changed = text
      .replace(CAPTURE, '')
      .replace(PASS, 'proxy_pass http://kept;')
      .replace('http {\n', `http {\n${log}\nupstream kept { server ${origin}; keepalive 64; }\n`);
    writeFileSync(conf, way === 'plain' ? changed.replace(PROTECTION, '') : changed);
    return { port, start: () => startNginx({ build, prefix: join(folder, way), config: conf, errorLog }) };
  }
}

/** An application that costs nothing: the time is that of the nginx before it. */
async function startFastOrigin(
  build: NginxBuild,
  folder: string,
): Promise<{ nginx: NginxPart; address: string }> {
  const [port] = await freePorts(1);
  const prefix = join(folder, 'origin');
  mkdirSync(prefix);
  const config = join(prefix, 'nginx.conf');
  writeFileSync(
    config,
    `${WORKER_USER} worker_processes 1; pid nginx.pid;
    events { worker_connections 512; }
    http {
      access_log off; keepalive_requests 1000000;
      ${temporaryPaths()}
      server { listen 127.0.0.1:${port}; default_type text/html; location / { return 200 "${'page '.repeat(200)}"; } }
    }`,
  );
  return { nginx: await startNginx({ build, prefix, config }), address: `127.0.0.1:${port}` };
}
