import { join } from 'node:path';
import { type Check, json, type Route } from '../service/admin.ts';
import type { Config } from '../service/config.ts';
import { createMetrics } from '../service/metrics.ts';
import { createAccounting, type SidecarAccounts } from '../sidecar/accounting.ts';
import { createItemsRoute } from '../sidecar/api.ts';
import { startForwarder } from '../sidecar/forward.ts';
import { SIDECAR_METRICS } from '../sidecar/metrics.ts';
import { createPageRoutes } from '../sidecar/page-routes.ts';
import { type Nginx, openSidecarSpool, startSidecar, waitingFor } from '../sidecar/sidecar.ts';
import { createDeadLetterFile } from '../store/dead-letters.ts';
import type { EventIndex } from '../store/event-index.ts';
import { createKafkaLog } from '../store/kafka-log.ts';
import type { Spool } from '../store/spool.ts';
import { type Core, connectKafka } from './core.ts';
import { openIndex } from './open-index.ts';
import { createSinkMeters, type SinkAccounts, wireSink } from './wire-sink.ts';

/** One part of a process: what it shows to people and monitoring. */
export type Part = { routes: Record<string, Route>; checks: Check[] };

export type Accounts = { nginx?: Nginx; sidecar?: SidecarAccounts; sink?: SinkAccounts };

/**
 * Starts a sidecar. With Kafka it forwards to it; without, it indexes from its own spool. `index` is where its page asks;
 * by default the configured one, if this process may open it.
 */
export async function wireSidecar(
  core: Core,
  sink?: { index: EventIndex; accounts: () => SinkAccounts },
): Promise<Part> {
  const { config, registry, shutdown } = core;
  const metrics = createMetrics(registry, SIDECAR_METRICS);
  const cursor = cursorOf(config);
  const options = { ...core, cursor, metrics };
  const spool = await openSidecarSpool(options);
  const next = config.kafka.brokers.length > 0 ? await forward() : await embed();
  const accounting = createAccounting({
    metrics,
    waiting: () => waitingFor(spool, cursor),
    delivered: next.delivered,
  });
  await next.start();
  const nginx = await startSidecar(options, spool);
  return {
    routes: {
      ...createPageRoutes(),
      '/api/v1/items': createItemsRoute(next.index, core.now),
      '/api/v1/accounting': () => json(200, accounts()),
    },
    checks: [{ name: 'spool', ready: () => takesEvents(spool) }],
  };

  function accounts(): Accounts {
    const ofSink = sink?.accounts ?? next.accounts;
    return { nginx: nginx(), sidecar: accounting(), ...(ofSink !== undefined && { sink: ofSink() }) };
  }

  /** spool → Kafka; a sink takes it from there. */
  async function forward(): Promise<Next> {
    const client = connectKafka(core);
    shutdown.add('kafka producer', () => client.close());
    const { topic } = config.kafka;
    const headers = { node: config.node, boot: spool.stats().id };
    const to = createKafkaLog({ client, topic, concurrency: 1, headers });
    const knowsIndex = config.elasticsearch.node !== undefined;
    return {
      index: sink?.index ?? (knowsIndex ? await openIndex(core) : undefined),
      delivered: () => metrics.of('forwarded_total').value(),
      async start() {
        const forwarder = await startForwarder({ from: spool, cursor, to, metrics, warn: core.warn });
        shutdown.add('forwarder', () => forwarder.close(core.graceMs));
      },
    };
  }

  /** spool → index, in this process. */
  async function embed(): Promise<Next> {
    const index = await openIndex(core);
    const meters = createSinkMeters(registry);
    const deadLetters = createDeadLetterFile(join(config.home, 'dead-letters.ndjson'), core.now);
    return {
      index,
      accounts: meters.accounts,
      delivered: () => meters.accounts().consumed,
      start: () => void wireSink(core, { log: spool, cursor, index, deadLetters, metrics: meters.metrics }),
    };
  }
}

type Next = {
  index: EventIndex | undefined;
  accounts?: () => SinkAccounts;
  /** Events handed on since the start. */
  delivered: () => number;
  start: () => Promise<void> | void;
};

/** The consumer of the spool is named after where it leads: another configuration begins with what is still there. */
function cursorOf({ kafka, elasticsearch }: Config): string {
  if (kafka.brokers.length > 0) return 'kafka';
  return elasticsearch.node === undefined ? 'duckdb' : 'elasticsearch';
}

/** True, or why nginx spills. */
function takesEvents(spool: Spool): true | string {
  return spool.stats().refusal ?? true;
}
