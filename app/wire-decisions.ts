import { join } from 'node:path';
import type { HotDecision } from '../event/decision-fields.ts';
import { parseDecision } from '../event/parse-decision.ts';
import { DECISION_METRICS } from '../heat/metrics.ts';
import type { OutboxOptions } from '../heat/outbox.ts';
import type { Check } from '../service/admin/admin.ts';
import { aboutDecisions, createMetrics, DECISIONS } from '../service/metrics.ts';
import { createOutage } from '../service/outage.ts';
import { createBalance } from '../sidecar/accounting.ts';
import { startForwarder } from '../sidecar/forward.ts';
import { FORWARD_METRICS } from '../sidecar/metrics.ts';
import { waitingFor } from '../sidecar/sidecar.ts';
import { createDeadLetterTopic, type DeadLetters } from '../store/dead-letters/dead-letters.ts';
import type { DecisionIndex } from '../store/event-index.ts';
import type { EventLog } from '../store/event-log.ts';
import { createKafkaLog } from '../store/kafka/topic-log.ts';
import { faultWords } from '../store/spool/faults.ts';
import { openSpool, type Spool } from '../store/spool/spool.ts';
import { connectKafka } from './connect-kafka.ts';
import { type Core, warnAs } from './core.ts';
import {
  createDecisionMeters,
  ofDecisions,
  type SinkAccounts,
  type SinkMeters,
  wireSink,
} from './wire-sink.ts';

/*
 * Decisions are delivered like events: a spool of their own, then Kafka or the index. A separate spool, so that they do not wait behind a
 * backlog of events, are not shed with them, and are never taken for events.
 */

/** The accounting of decisions in a sidecar since its start. It balances when `unaccounted` is 0. */
export type DecisionAccounts = {
  /** Decisions in the outbox at the start that were not delivered yet. */
  waitingAtStart: number;
  /** Decisions written to the outbox since then. Of these and the ones above… */
  told: number;
  /** …so many wait, */
  waiting: number;
  /** …were delivered, */
  delivered: number;
  /** …became dead letters of the forwarder, */
  dead: number;
  /** …or were damaged on disk. */
  lost: number;
  /** waitingAtStart + told − waiting − delivered − dead − lost */
  unaccounted: number;
  /** Dropped before the outbox, because it accepted none. */
  dropped: number;
};

export type Outlet = Pick<OutboxOptions, 'append' | 'metrics'> & {
  check: Check;
  accounts: () => DecisionAccounts;
  /** Metrics of the sink in this process. */
  sinkAccounts?: () => SinkAccounts;
};

/** Size limit of the outbox: some ten thousand decisions, hours of them. */
const MOST_BYTES = 16 * 1024 * 1024;
const SEGMENT_BYTES = 1024 * 1024;
/** The name of the outbox as a source: it differs from that of events. */
export const OUTBOX_SOURCE = 'decisions';
/** As many as one request: decisions of one item must not overtake each other. */
const ONE_AT_A_TIME = 1;

/** Where decisions go without Kafka. */
export type Embedded = { index: DecisionIndex; deadLetters: DeadLetters };

/** Opens the outbox and starts to deliver its content: to the index in this process, or to Kafka. */
export async function wireOutlet(core: Core, embedded: Embedded | undefined): Promise<Outlet> {
  const { registry, parts, shutdown } = core;
  const metrics = createMetrics(registry, DECISION_METRICS);
  const spool = await openOutbox(core, (kind) => metrics.of('decisions_faults_total', { kind }).add());
  shutdown.add('outbox of decisions', () => spool.close());
  const { cursor } = parts;
  const waiting = () => waitingFor(spool, cursor);
  metrics.of('decisions_waiting').follow(waiting);
  const waitingAtStart = waiting();
  const next = embedded === undefined ? await forward(core, spool) : embed(core, spool, embedded);
  const { delivered, dead } = next;
  const balance = createBalance(
    { waiting, delivered, dead, lost: () => spool.stats().lostEvents },
    waitingAtStart,
  );
  return {
    append: (texts) => spool.appendLines(texts),
    metrics,
    check: next.check,
    ...(next.meters !== undefined && { sinkAccounts: next.meters.accounts }),
    accounts() {
      const told = metrics.of('decisions_told_total').value();
      return { told, ...balance(told), dropped: metrics.sum('decisions_dropped_total') };
    },
  };
}

type Next = { check: Check; delivered: () => number; dead: () => number; meters?: SinkMeters };

function openOutbox({ config, parts, warn, now }: Core, onFault: (kind: string) => void): Promise<Spool> {
  return openSpool({
    dir: join(config.home, 'decisions'),
    maxBytes: MOST_BYTES,
    segmentBytes: SEGMENT_BYTES,
    // A few per second at most, and nobody waits for them.
    fsync: 'always',
    cursors: [parts.cursor],
    now,
    onFault(fault) {
      onFault(fault.kind);
      warn(`outbox ${fault.kind}`, 'the outbox of decisions found a fault', {
        reason: faultWords(fault),
        fault,
      });
    },
  });
}

/** outbox → Kafka; a sink continues from there. */
async function forward(core: Core, spool: Spool): Promise<Next> {
  const { config, registry, shutdown, parts } = core;
  const client = await connectKafka(core);
  shutdown.add('kafka producer of decisions', () => client.close());
  const { decision_topic: topic, dead_letter_topic, batch_events, batch_bytes } = config.kafka;
  const headers = { node: config.node, boot: spool.stats().id };
  const metrics = createMetrics(registry, aboutDecisions(FORWARD_METRICS), DECISIONS);
  const forwarder = await startForwarder({
    from: named(spool),
    cursor: parts.cursor,
    to: createKafkaLog({ client, topic, concurrency: 1, headers, keyOf: keyOfRecord }),
    deadLetters: createDeadLetterTopic(client, dead_letter_topic, core.now),
    limits: { batchEvents: batch_events, batchBytes: batch_bytes, requests: ONE_AT_A_TIME },
    metrics,
    warn: warnAs(core.warn, 'decisions'),
    outage: createOutage(core.now),
  });
  shutdown.add('forwarder of decisions', () => forwarder.close(core.graceMs));
  return {
    check: { name: 'decisions', ready: () => forwarder.failure() ?? true },
    delivered: () => metrics.of('forwarded_total').value(),
    dead: () => metrics.sum('forward_dead_total'),
  };
}

/** outbox → index, in this process. */
function embed(core: Core, spool: Spool, { index, deadLetters }: Embedded): Next {
  const meters = createDecisionMeters(core.registry, core.now);
  meters.metrics.of('sink_waiting').follow(() => waitingFor(spool, core.parts.cursor));
  const check = wireSink(core, {
    ...ofDecisions(core.config),
    name: 'decisions',
    log: named(spool),
    cursor: core.parts.cursor,
    index,
    deadLetters,
    metrics: meters.metrics,
    outage: meters.outage,
  });
  return { check, meters, delivered: () => meters.accounts().consumed, dead: () => 0 };
}

/** The key of a decision in its topic: node and item, as JSON, so that keys are unambiguous. */
export function keyOfDecision({ node, item }: Pick<HotDecision, 'node' | 'item'>): Buffer {
  return Buffer.from(JSON.stringify([node, item]));
}

/** Undefined for a decision that another version wrote: the topic rejects a record without a key, and it becomes a dead letter. */
function keyOfRecord(value: Buffer): Buffer | undefined {
  try {
    return keyOfDecision(parseDecision(value.toString('utf8')));
  } catch {
    return undefined;
  }
}

/** Under a name of its own: a dead letter must not look like that of an event. */
function named(log: EventLog): EventLog {
  return {
    append: log.append,
    consume: (name, handle) =>
      log.consume(name, (batch, context) => handle({ ...batch, source: OUTBOX_SOURCE }, context)),
  };
}
