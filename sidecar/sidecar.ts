import { join } from 'node:path';
import { createBotTest } from '../event/bot-test.ts';
import { createRedaction } from '../event/redaction.ts';
import type { Config } from '../service/config.ts';
import type { Metrics } from '../service/metrics.ts';
import type { Shutdown } from '../service/shutdown.ts';
import { openSpool, type Spool } from '../store/spool.ts';
import { type CaptureState, createControl } from './control.ts';
import { createControlRoute } from './control-route.ts';
import { makeFolders } from './folders.ts';
import { startIntake } from './intake.ts';
import type { SIDECAR_METRICS } from './metrics.ts';
import { createNginxBooks, type NginxAccounts } from './nginx-books.ts';
import { createRecentIds } from './recent-ids.ts';
import { createRejectFile } from './reject-file.ts';
import { createSpillLimit } from './spill-limit.ts';
import { startTail } from './tail.ts';
import { createTakeIn } from './take-in.ts';

export type SidecarOptions = {
  config: Config;
  /** Name of the one consumer of the spool. */
  cursor: string;
  metrics: Metrics<typeof SIDECAR_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
  shutdown: Shutdown;
  now: () => number;
};

/** Opens the spool and says what happens to it. */
export async function openSidecarSpool({
  config,
  cursor,
  metrics,
  warn,
  shutdown,
  now,
}: SidecarOptions): Promise<Spool> {
  makeFolders({ home: config.home, spill: config.spill.dir, group: config.intake.socket_group, warn });
  const spool = await openSpool({
    dir: config.spool.dir,
    maxBytes: config.spool.max_bytes,
    segmentBytes: config.spool.segment_bytes,
    fsync: config.spool.fsync,
    cursors: [cursor],
    now,
    onFault(fault) {
      metrics.of('spool_faults_total', { kind: fault.kind }).add();
      warn(`spool ${fault.kind}`, 'the spool met a fault', { fault });
    },
  });
  shutdown.add('spool', () => spool.close());
  metrics.of('spool_bytes').follow(() => spool.stats().bytes);
  metrics.of('spool_segments').follow(() => spool.stats().segments);
  metrics.of('spool_waiting', { consumer: cursor }).follow(() => waitingFor(spool, cursor));
  return spool;
}

/** What is known of the nginx that this sidecar belongs to. */
export type Nginx = { capture: CaptureState; accounts: NginxAccounts | undefined };

/** Takes in what nginx sends and what it spilled, into `spool`. What it returns tells of nginx, at any time. */
export async function startSidecar(options: SidecarOptions, spool: Spool): Promise<() => Nginx> {
  const { config, metrics, warn, shutdown, now } = options;
  const takeIn = createTakeIn({
    node: config.node,
    recent: createRecentIds(),
    isBot: createBotTest(),
    redact: createRedaction({
      ip: { mode: config.privacy.ip, salt: config.privacy.ip_salt },
      omit: config.event.omit,
    }),
    keep: (events) => spool.appendLines(events),
    reject: createRejectFile(join(config.home, 'rejected.log'), now),
    metrics,
  });
  const offsetsPath = join(config.home, 'spill-offsets.json');
  const { dir, max_bytes: maxBytes } = config.spill;
  const limit = createSpillLimit({ dir, maxBytes, metrics, warn });
  const tail = await startTail({ dir, offsetsPath, takeIn, limit, metrics, warn, now });
  shutdown.add('tail', tail.close);
  const control = createControl(join(config.home, 'capture.json'));
  metrics.of('capture_one_in').follow(() => oneIn(control.state()));
  const books = createNginxBooks({ metrics, now });
  const intake = await startIntake({
    path: config.intake.socket,
    mode: Number.parseInt(config.intake.socket_mode, 8),
    group: config.intake.socket_group,
    maxRequestBytes: config.intake.max_request_bytes,
    maxConnections: config.intake.max_connections,
    takeIn,
    routes: { '/v1/control': createControlRoute(control, books) },
    metrics,
    warn,
  });
  shutdown.add('intake', intake.close);
  return () => ({ capture: control.state(), accounts: books.accounts() });
}

function oneIn(state: CaptureState): number {
  if (state.mode === 'default') return Number.NaN;
  if (state.mode === 'sample') return state.n;
  return state.mode === 'on' ? 1 : 0;
}

/** Events that the consumer `cursor` has not dealt with. */
export function waitingFor(spool: Spool, cursor: string): number {
  return spool.stats().cursors[cursor]?.behind ?? 0;
}
