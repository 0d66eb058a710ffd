import { createBotTest } from '../event/bot-test.ts';
import type { HeatState } from '../heat/hot-answers.ts';
import { type Check, json, type Reply, type Route } from '../service/admin/admin.ts';
import type { Actions } from '../service/admin/admin-actions.ts';
import type { Loss } from '../service/losses.ts';
import { createMetrics, type Metrics } from '../service/metrics.ts';
import { createOutage, type Outage, type OutageState } from '../service/outage.ts';
import { createAccounting, type SidecarAccounts } from '../sidecar/accounting.ts';
import { startForwarder } from '../sidecar/forward.ts';
import type { TestView } from '../sidecar/ingest/test-views.ts';
import { SIDECAR_METRICS } from '../sidecar/metrics.ts';
import type { KafkaHealth } from '../sidecar/routes/answers.ts';
import { createCatalogueRoute } from '../sidecar/routes/catalogue-route.ts';
import { createIndexRoutes } from '../sidecar/routes/index-routes.ts';
import { createItemRoutes } from '../sidecar/routes/item-routes.ts';
import { createPageRoutes } from '../sidecar/routes/page-routes.ts';
import { createQuestions, type Questions } from '../sidecar/routes/questions.ts';
import {
  type Nginx,
  openSidecarSpool,
  type SidecarOptions,
  startSidecar,
  waitingFor,
} from '../sidecar/sidecar.ts';
import type { SocketRoute } from '../sidecar/socket/socket-route.ts';
import {
  createDeadLetterFile,
  createDeadLetterTopic,
  nameSpool,
} from '../store/dead-letters/dead-letters.ts';
import type { DuckdbIndex } from '../store/duckdb/duckdb.ts';
import type { EventIndex } from '../store/event-index.ts';
import { createKafkaLog } from '../store/kafka/topic-log.ts';
import type { Spool } from '../store/spool/spool.ts';
import type { DeliveryState } from '../webhooks/deliveries.ts';
import type { About } from './about.ts';
import { connectKafka } from './connect-kafka.ts';
import type { Core } from './core.ts';
import { deadLetterPath } from './open-dead-letters.ts';
import { indexChecks, openDecisionIndex, openIndex } from './open-index.ts';
import { unusedFindings } from './rules/control-rules.ts';
import { watchLosses } from './watch-losses.ts';
import { type CatalogueState, catalogueAccount } from './wire-catalogue.ts';
import { type DecisionAccounts, type Embedded, wireOutlet } from './wire-decisions.ts';
import { wireHealth } from './wire-health.ts';
import { type OnHotChange, wireHeat } from './wire-heat.ts';
import {
  createSinkMeters,
  type KafkaSinks,
  ofEvents,
  type SinkAccounts,
  type SinkMeters,
  wireSink,
} from './wire-sink.ts';

/** One part of a process, with what it reports. */
export type Part = {
  routes: Record<string, Route>;
  /** What may be changed, where control is configured. */
  actions?: Actions | undefined;
  checks: Check[];
};

export type Accounts = {
  /** Missing if the process has an older version. */
  about?: About;
  nginx?: Nginx;
  sidecar?: SidecarAccounts;
  sink?: SinkAccounts;
  /** The same of decisions: in the sidecar, and in a sink. Missing where no hot items are looked for. */
  decisions?: DecisionAccounts;
  decisionSink?: SinkAccounts;
  /** Why nothing is delivered; missing while it is, as far as anybody has tried. */
  outage?: OutageState | undefined;
  losses?: Loss[];
  /** The recent test views of `hotitem doctor`. */
  tests?: TestView[];
  /** Missing if heat detection is off. */
  heat?: HeatState;
  /** Missing if no catalogue is configured. */
  catalogue?: CatalogueState;
  /** Missing where there are none. */
  webhooks?: DeliveryState[];
};

export type WireSidecarOptions = {
  /** The sink beside it. Its index is where the page asks; by default the configured one, if this process may open it. */
  sink?: KafkaSinks & { index: EventIndex | DuckdbIndex; meters: SinkMeters };
  onHotChange?: OnHotChange | undefined;
};

/** Starts a sidecar. With Kafka it forwards to it; otherwise it indexes from its own spool. */
export async function wireSidecar(core: Core, { sink, onHotChange }: WireSidecarOptions = {}): Promise<Part> {
  const { config, parts, registry, shutdown } = core;
  const metrics = createMetrics(registry, SIDECAR_METRICS);
  const { cursor } = parts;
  const catalogue = core.catalogue();
  const shared = { ...core, cursor, metrics, batch: batchOf(core) };
  const spool = await openSidecarSpool(shared);
  const next = parts.kafka ? await forward() : await embed();
  const accounting = createAccounting({
    metrics,
    waiting: () => waitingFor(spool, cursor),
    delivered: next.delivered,
    dead: next.dead,
    lost: () => spool.stats().lostEvents,
  });
  const check = await next.start();
  const outlet = config.heat.enabled ? await wireOutlet(core, await next.decisions?.()) : undefined;
  for (const { what, fix } of unusedFindings(config)) core.log.warn({ fix }, what);
  const isBot = createBotTest();
  const page = createPageRoutes();
  const heat = outlet && (await wireHeat(core, { outlet, isBot, build: page.build, onChange: onHotChange }));
  const sidecar = await startSidecar(
    {
      ...shared,
      routes: { ...indexRoutes(next.index), ...heat?.controlRoutes },
      intakeRoutes: heat?.intakeRoutes ?? {},
      newViews: heat?.newViews,
      sawShoppers: heat?.sawShoppers,
      isBot,
    },
    spool,
  );
  const { nginx, losses, tests, testCount, checks } = sidecar;
  const ofSink = sink?.meters ?? next.meters;
  const decisionSink = sink?.decisions?.accounts ?? outlet?.sinkAccounts;
  const lost = watchLosses(core, 'losses.json', [...losses, ...(ofSink?.losses ?? [])]);
  const checksOfAll: Check[] = [
    { name: 'spool', ready: () => takesEvents(spool) },
    ...checks,
    check,
    ...(outlet === undefined ? [] : [outlet.check]),
    ...(sink === undefined ? [] : sink.checks),
    ...indexChecks(next.index),
    ...(heat?.webhooks?.checks ?? []),
  ];
  const health = wireHealth(core, {
    nginx,
    sidecar: accounting,
    live: () => liveOf(metrics) - testCount(),
    sink: ofSink?.accounts,
    outage,
    losses: lost.list,
    checks: () => checksOfAll,
    index: next.index,
    shoppers: heat && (() => heat.state().shoppers),
    kafka: parts.kafka ? kafkaHealth : undefined,
    streams: heat?.streams,
  });
  return {
    routes: {
      ...page.routes,
      ...createItemRoutes({
        index: next.index,
        questions: openQuestions(metrics),
        now: core.now,
        warn: core.warn,
        lookUp: catalogue.lookUp,
        isListed: (item) => catalogue.items()?.has(item),
        lacksOf: heat && ((item) => heat.explain(item).why),
      }),
      '/api/v1/catalogue': createCatalogueRoute({ items: catalogue.items, state: catalogue.state }),
      '/api/v1/accounting': () => json(200, accounts()),
      '/api/v1/health': health,
      // Whether the page may offer control; page.conf says no in its place.
      '/api/v1/control': () => json(200, { control: heat?.actions !== undefined }),
      ...heat?.routes,
    },
    actions: heat?.actions,
    checks: checksOfAll,
  };

  function accounts(): Accounts {
    return {
      about: core.about(),
      nginx: nginx(),
      sidecar: accounting(),
      ...(ofSink !== undefined && { sink: ofSink.accounts() }),
      ...(outlet !== undefined && { decisions: outlet.accounts() }),
      ...(decisionSink !== undefined && { decisionSink: decisionSink() }),
      outage: outage(),
      losses: lost.list(),
      tests: tests(),
      ...catalogueAccount(catalogue),
      ...(heat !== undefined && { heat: heat.state() }),
      ...(heat?.webhooks !== undefined && { webhooks: heat.webhooks.states() }),
    };
  }

  function outage(): OutageState | undefined {
    return next.outage.state() ?? sink?.meters.outage.state();
  }

  function kafkaHealth(): Omit<KafkaHealth, 'lastAt' | 'after'> {
    const unavailable = next.outage.state();
    const lag = sink?.behind();
    return {
      brokers: config.kafka.brokers.length,
      ...(unavailable !== undefined && { unavailableSince: unavailable.since }),
      ...(lag !== undefined && { behind: { events: lag.records, askedAt: lag.askedAt } }),
    };
  }

  /** spool → Kafka; a sink continues from there. */
  async function forward(): Promise<Next> {
    const client = await connectKafka(core);
    shutdown.add('kafka producer', () => client.close());
    const { topic, dead_letter_topic, batch_events, batch_bytes, requests } = config.kafka;
    const headers = { node: config.node, boot: spool.stats().id };
    const to = createKafkaLog({ client, topic, concurrency: 1, headers, headersOn: config.kafka.headers });
    const deadLetters = nameSpool(createDeadLetterTopic(client, dead_letter_topic, core.now), headers);
    const limits = { batchEvents: batch_events, batchBytes: batch_bytes, requests };
    const outage = createOutage(core.now);
    return {
      index: sink?.index ?? (parts.index === 'elasticsearch' ? await openIndex(core) : undefined),
      delivered: () => metrics.of('forwarded_total').value(),
      dead: () => metrics.sum('forward_dead_total'),
      outage,
      async start() {
        const forwarder = await startForwarder({
          from: spool,
          cursor,
          to,
          deadLetters,
          limits,
          metrics,
          warn: core.warn,
          outage,
          areAlike: true,
        });
        shutdown.add('forwarder', () => forwarder.close(core.graceMs));
        return { name: 'forwarder', ready: () => forwarder.failure() ?? true };
      },
    };
  }

  /** spool → index, in this process. */
  async function embed(): Promise<Next> {
    const index = await openIndex(core);
    const meters = createSinkMeters(registry, core.now);
    const { outage } = meters;
    meters.metrics.of('sink_waiting').follow(() => waitingFor(spool, cursor));
    const path = deadLetterPath(config);
    const deadLetters = createDeadLetterFile({ path, now: core.now, onDropped });
    return {
      index,
      meters,
      outage,
      delivered: () => meters.accounts().consumed,
      dead: () => 0,
      decisions: async () => ({ index: await openDecisionIndex(core, index), deadLetters }),
      start: async () =>
        wireSink(core, {
          ...ofEvents(config),
          log: spool,
          cursor,
          index,
          deadLetters,
          metrics: meters.metrics,
          outage,
        }),
    };

    function onDropped(letters: number): void {
      meters.metrics.of('sink_dead_dropped_total', { reason: 'rolled' }).add(letters);
      core.warn('dead letters dropped', 'dead letters fill two files: the older one was deleted', {
        letters,
      });
    }
  }
}

type Next = {
  index: EventIndex | DuckdbIndex | undefined;
  /** Metrics of the sink in this process. */
  meters?: SinkMeters;
  /** Whether events are accepted. */
  outage: Outage;
  /** Events delivered since the start. */
  delivered: () => number;
  /** Events that were rejected permanently, not included in those delivered. */
  dead: () => number;
  /** Where decisions go, where that is not Kafka. */
  decisions?: () => Promise<Embedded>;
  /** Returns whether it makes progress. */
  start: () => Promise<Check>;
};

/** Events that nginx sent or logged, other than those it had to spill. */
function liveOf(metrics: Metrics<typeof SIDECAR_METRICS>): number {
  const from = (source: 'intake' | 'log') => metrics.of('intake_accepted_total', { from: source }).value();
  return from('intake') + from('log');
}

/** With Kafka, enough for all concurrent requests twice, so that none waits for the slowest. */
function batchOf({ parts, config: { kafka } }: Core): SidecarOptions['batch'] {
  if (!parts.kafka) return {};
  const requests = 2 * kafka.requests;
  return {
    maxBatchEvents: requests * kafka.batch_events,
    maxBatchBytes: requests * kafka.batch_bytes,
    lingerMs: kafka.linger_ms,
  };
}

/** The page times out after 35 s, later than the longest question. One query runs at a time: each DuckDB query occupies one of Node's few threads. */
function openQuestions(metrics: Metrics<typeof SIDECAR_METRICS>): Questions<Reply> {
  const questions = createQuestions<Reply>({ waiting: 8, askers: 128, sharedMs: 10_000, longestMs: 30_000 });
  metrics.of('ranking_questions', { state: 'running' }).follow(() => questions.counts().running);
  metrics.of('ranking_questions', { state: 'waiting' }).follow(() => questions.counts().waiting);
  return questions;
}

/** Only the process that has DuckDB's file open can query it. */
function indexRoutes(index: Next['index']): Record<string, SocketRoute> {
  return index !== undefined && 'count' in index ? createIndexRoutes(index) : {};
}

/** True, or why nginx spills. */
function takesEvents(spool: Spool): true | string {
  return spool.stats().refusal ?? true;
}
