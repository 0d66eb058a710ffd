import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Accounts } from '../../app/wire-sidecar.ts';
import { renderShop, type ShopOptions } from '../../demo/shop.ts';
import type { NginxBuild } from '../../provision/nginx.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { type NginxPart, startNginx } from '../parts/nginx.ts';
import { freePorts } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { until } from '../parts/until.ts';
import { chooseTransport } from './transport.ts';

export type ChainOptions = {
  build: NginxBuild;
  /** Settings of all services: `KAFKA_BROKERS`, `ELASTICSEARCH_NODE`, `HOTITEM_…`. */
  env?: Record<string, string>;
  /** Also run `hotitem sink`. */
  withSink?: boolean;
  workers?: number;
  engine?: ShopOptions['engine'];
  /** With http-batch.conf; the example's own subrequest without it unless said. */
  transport?: 'subrequest' | 'batch';
  /** Which of nginx/examples. Default shop. */
  example?: ShopOptions['example'];
  /** `host:port` of the application, where the example has one. */
  origin?: string;
};

/** A shop on nginx, its sidecar and, where asked for, a sink: each a process as in production. */
export type Chain = {
  home: string;
  port: number;
  nginx: NginxPart;
  sidecar: Service;
  /** Undefined without `withSink`. */
  sink: Service | undefined;
  accounts(): Promise<Accounts>;
  /** From now on `settle` does not count what this sidecar has accepted before: for a chain that several tests share. */
  mark(): Promise<void>;
  /** Waits until nothing is on its way any more. `accepted`: by this process of the sidecar, since `mark`. */
  settle(accepted: number): Promise<Accounts>;
  /** The logs of all, for a test that fails. */
  logs(): Promise<string>;
  close(): Promise<void>;
};

export const ITEMS = 300;
const SETTLE_MS = 120_000;

export async function startChain({
  build,
  env = {},
  withSink = false,
  workers = 2,
  engine = 'njs',
  transport,
  example = 'shop',
  origin,
}: ChainOptions): Promise<Chain> {
  const { path: home, remove } = temporaryFolder('chain');
  const [port = 0, breaker, admin, sinkAdmin] = await freePorts(4);
  const settings = {
    HOTITEM_HOME: home,
    HOTITEM_NODE: 'web-1',
    HOTITEM_ADMIN_LISTEN: `127.0.0.1:${admin}`,
    HOTITEM_ADMIN_SINK_LISTEN: `127.0.0.1:${sinkAdmin}`,
    ...env,
  };
  const sidecar = await startService({
    args: ['sidecar'],
    env: settings,
    admin: settings.HOTITEM_ADMIN_LISTEN,
    logFile: join(home, 'sidecar.log'),
  });
  const sink = withSink
    ? await startService({
        args: ['sink'],
        env: settings,
        admin: settings.HOTITEM_ADMIN_SINK_LISTEN,
        logFile: join(home, 'sink.log'),
      })
    : undefined;
  const shop = await renderShop({
    folder: join(home, 'nginx'),
    listen: `127.0.0.1:${port}`,
    breaker: `127.0.0.1:${breaker}`,
    socket: join(home, 'run/intake.sock'),
    spill: join(home, 'spill'),
    pages: writePages(home),
    workers,
    engine,
    example,
    ...(origin && { origin }),
    ...(build.modules.js && { module: build.modules.js }),
    ...(process.getuid?.() === 0 && { user: 'root' }),
  });
  if (transport !== undefined) await chooseTransport(shop.conf, transport);
  const nginx = await startNginx({ build, prefix: home, config: shop.conf, errorLog: shop.errorLog });
  let marked = { pid: 0, accepted: 0 };
  return { home, port, nginx, sidecar, sink, accounts, mark, settle, logs, close };

  async function accounts(): Promise<Accounts> {
    const own = await sidecar.json<Accounts>('/api/v1/accounting');
    return { ...own, ...(sink && (await sink.json<Accounts>('/api/v1/accounting'))) };
  }

  async function mark(): Promise<void> {
    marked = { pid: sidecar.pid(), accepted: (await accounts()).sidecar?.accepted ?? 0 };
  }

  function settle(accepted: number): Promise<Accounts> {
    const all = accepted + (marked.pid === sidecar.pid() ? marked.accepted : 0);
    const settled = async () => {
      const now = await accounts();
      const done =
        now.sidecar?.accepted === all && now.sidecar.waiting === 0 && now.sidecar.unaccounted === 0;
      return done && (now.sink?.consumed ?? 0) >= all ? now : undefined;
    };
    const detail = async () => `${JSON.stringify(await accounts())}\n${await logs()}`;
    return until(settled, {
      timeoutMs: SETTLE_MS,
      what: `${all} accepted events to arrive`,
      detail,
    });
  }

  async function logs(): Promise<string> {
    return [await nginx.errorLog(), sidecar.log(), sink?.log() ?? ''].join('\n');
  }

  async function close(): Promise<void> {
    await nginx.quit();
    await Promise.all([sidecar.stop(), sink?.stop()]);
    remove();
  }
}

/** A catalogue of small pages, `item/1.html` and so on. */
function writePages(home: string): string {
  const pages = join(home, 'pages');
  mkdirSync(join(pages, 'item'), { recursive: true });
  writeFileSync(join(pages, 'index.html'), '<!doctype html><title>shop</title>\n');
  for (let item = 1; item <= ITEMS; item++) {
    writeFileSync(join(pages, `item/${item}.html`), `<!doctype html><title>item ${item}</title>\n`);
  }
  return pages;
}
