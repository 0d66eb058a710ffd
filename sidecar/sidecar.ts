import { join } from 'node:path';
import type { BotTest } from '../event/bot-test.ts';
import { createEventWriter } from '../event/event-writer.ts';
import { createVisitorHash } from '../event/visitor.ts';
import type { Check } from '../service/admin/admin.ts';
import type { Config } from '../service/config/config.ts';
import type { LossSource } from '../service/losses.ts';
import type { Metrics } from '../service/metrics.ts';
import type { Shutdown } from '../service/shutdown.ts';
import { faultWords } from '../store/spool/faults.ts';
import { openSpool, type Spool, type SpoolOptions } from '../store/spool/spool.ts';
import { makeFolders } from './folders.ts';
import { type IntakeRoute, startIntake } from './ingest/intake.ts';
import { createLoadShedding, type LoadShedding, SHEDDING_STEPS } from './ingest/load-shedding.ts';
import type { NewViews } from './ingest/new-views.ts';
import { createRecentIds } from './ingest/recent-ids.ts';
import { createRejectFile } from './ingest/reject-file.ts';
import { createTakeIn } from './ingest/take-in.ts';
import { createTestViews, type TestView } from './ingest/test-views.ts';
import type { SIDECAR_METRICS } from './metrics.ts';
import { createNginxAccounting, type NginxAccounts } from './nginx/nginx-accounting.ts';
import { createAccountingFile } from './nginx/nginx-accounting-file.ts';
import { createPollRoute } from './nginx/poll-route.ts';
import { type CaptureState, createControl } from './nginx/switch.ts';
import { createControlRoute } from './nginx/switch-route.ts';
import { startControlSocket } from './socket/control-socket.ts';
import type { SocketRoute } from './socket/socket-route.ts';
import { createSpillLimit } from './tail/spill-limit.ts';
import { startTail, type TailOptions } from './tail/tail.ts';

export type SidecarOptions = {
  config: Config;
  /** Name of the only consumer of the spool. */
  cursor: string;
  /** Batch size for that consumer. */
  batch?: Pick<SpoolOptions, 'maxBatchEvents' | 'maxBatchBytes' | 'lingerMs'> | undefined;
  metrics: Metrics<typeof SIDECAR_METRICS>;
  warn: (key: string, message: string, fields?: object) => void;
  shutdown: Shutdown;
  now: () => number;
};

const HOUR_MS = 3_600_000;
const BARRED =
  "nginx's workers cannot write to the spill folder: views are dropped (hotitem check --nginx says why)";

/** Opens the spool, and reports its faults. */
export async function openSidecarSpool({
  config,
  cursor,
  batch,
  metrics,
  warn,
  shutdown,
  now,
}: SidecarOptions): Promise<Spool> {
  makeSidecarFolders({ config, warn });
  const spool = await openSpool({
    dir: config.spool.dir,
    maxBytes: config.spool.max_bytes,
    segmentBytes: config.spool.segment_bytes,
    fsync: config.spool.fsync,
    cursors: [cursor],
    ...batch,
    retainBytes: config.spool.retain_bytes,
    retainMs: config.spool.retain_hours * HOUR_MS,
    now,
    onFault(fault) {
      metrics.of('spool_faults_total', { kind: fault.kind }).add();
      warn(`spool ${fault.kind}`, 'the spool found a fault', { reason: faultWords(fault), fault });
    },
  });
  shutdown.add('spool', () => spool.close());
  metrics.of('spool_bytes').follow(() => spool.stats().bytes);
  metrics.of('spool_limit_bytes').set(config.spool.max_bytes);
  metrics.of('spool_retained_bytes').follow(() => spool.stats().retainedBytes);
  metrics.of('spool_segments').follow(() => spool.stats().segments);
  metrics.of('spool_waiting', { consumer: cursor }).follow(() => waitingFor(spool, cursor));
  metrics
    .of('spool_processed_total', { consumer: cursor })
    .follow(() => spool.stats().cursors[cursor]?.sequence ?? 0);
  return spool;
}

/** What is known about the nginx of this sidecar. */
export type Nginx = { capture: CaptureState; accounts: NginxAccounts | undefined };

export type Sidecar = {
  /** Callable at any time. */
  nginx: () => Nginx;
  /** The recent test views of `hotitem doctor`. */
  tests: () => TestView[];
  testCount: () => number;
  /** Losses before and in the spool. */
  losses: LossSource[];
  checks: Check[];
};

/** Ingests what nginx posts and spills into `spool`. */
export async function startSidecar(
  options: SidecarOptions & {
    /** Other routes of the control socket. */
    routes: Record<string, SocketRoute>;
    /** Other routes of the intake socket. */
    intakeRoutes: Record<string, IntakeRoute>;
    /** Receives each new view. */
    newViews?: NewViews | undefined;
    isBot: BotTest;
    /** Receives lines of log-shared.conf. */
    sawShoppers?: TailOptions['sawShoppers'];
  },
  spool: Spool,
): Promise<Sidecar> {
  const { config, metrics, warn, shutdown, now, routes, intakeRoutes, newViews, isBot, sawShoppers } =
    options;
  const { node, privacy, event } = config;
  const writer = createEventWriter({
    node,
    hashVisitor: createVisitorHash(privacy.ip_salt),
    isBot,
    ip: { mode: privacy.ip, salt: privacy.ip_salt },
    omit: event.omit,
  });
  const tests = createTestViews();
  const takeIn = createTakeIn({
    recent: createRecentIds(),
    writer,
    shedding: config.spool.shedding === 'on' ? openLoadShedding(options, spool) : undefined,
    keep: (events) => spool.appendEncoded(events),
    newViews,
    onTest: tests.note,
    reject: createRejectFile(join(config.home, 'rejected.log'), now),
    metrics,
  });
  const accounting = createNginxAccounting({
    metrics,
    now,
    file: createAccountingFile(join(config.home, 'nginx-accounting.json'), warn),
    sequence: () => spool.stats().nextSequence,
  });
  const offsetsPath = join(config.home, 'spill-offsets.json');
  const { dir, max_bytes: maxBytes } = config.spill;
  const limit = createSpillLimit({ dir, maxBytes, socket: config.intake.socket, metrics, warn });
  const makeFolder = () => makeSidecarFolders(options);
  const tail = await startTail({
    dir,
    makeFolder,
    offsetsPath,
    takeIn,
    sawShoppers,
    limit,
    metrics,
    warn,
    now,
  });
  shutdown.add('tail', tail.close);
  const control = createControl(join(config.home, 'capture.json'), warn);
  metrics.of('capture_one_in').follow(() => oneIn(control.state()));
  const intake = await startIntake({
    path: config.intake.socket,
    mode: Number.parseInt(config.intake.socket_mode, 8),
    group: config.intake.socket_group,
    maxRequestBytes: config.intake.max_request_bytes,
    maxConnections: config.intake.max_connections,
    takeIn,
    routes: { ...intakeRoutes, '/v1/control': createPollRoute({ control, accounting, warn }) },
    metrics,
    warn,
  });
  shutdown.add('intake', intake.close);
  const owner = await startControlSocket({
    path: config.control.socket,
    routes: { ...routes, '/v1/control': createControlRoute(control) },
    warn,
  });
  shutdown.add('control socket', owner.close);
  return {
    nginx: () => ({ capture: control.state(), accounts: accounting.accounts() }),
    tests: tests.list,
    testCount: tests.count,
    losses: [
      { reason: 'nginx_dropped', total: () => accounting.accounts()?.dropped, lasts: true },
      { reason: 'nginx_missing', total: accounting.missing, lasts: true, falls: true },
      { reason: 'sampled_out', total: () => metrics.sum('intake_sampled_out_total') },
      { reason: 'spool_damaged', total: () => spool.stats().lostEvents },
    ],
    checks: [
      { name: 'intake', ready: () => intake.failure() ?? true },
      { name: 'control socket', ready: () => owner.failure() ?? true },
      { name: 'spill', ready: () => tail.failure() ?? (accounting.isSpillBarred() ? BARRED : true) },
    ],
  };
}

function makeSidecarFolders({ config, warn }: Pick<SidecarOptions, 'config' | 'warn'>): void {
  makeFolders({ home: config.home, spill: config.spill.dir, group: config.intake.socket_group, warn });
}

function openLoadShedding({ config, metrics, warn }: SidecarOptions, spool: Spool): LoadShedding {
  const shedding = createLoadShedding({
    from: config.spool.shedding_from,
    fill: spool.fill,
    onChange: ({ step, fill }) =>
      warn(
        `shedding ${step}`,
        step === 0 ? 'every event is kept again' : 'the spool fills up, events are sampled',
        {
          step,
          ...SHEDDING_STEPS[step],
          fill: Number(fill.toFixed(3)),
        },
      ),
  });
  metrics.of('shedding_step').follow(shedding.step);
  return shedding;
}

function oneIn(state: CaptureState): number {
  if (state.mode === 'default') return Number.NaN;
  if (state.mode === 'sample') return state.n;
  return state.mode === 'on' ? 1 : 0;
}

/** The number of events that the consumer `cursor` has not handled yet. */
export function waitingFor(spool: Spool, cursor: string): number {
  return spool.stats().cursors[cursor]?.behind ?? 0;
}
