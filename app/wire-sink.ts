import { join } from 'node:path';
import type { Registry } from 'prom-client';
import type { HotDecision } from '../event/decision-fields.ts';
import type { HotItemEvent } from '../event/event.ts';
import { createRedaction, keepsEverything, type RedactionOptions } from '../event/redaction.ts';
import { toRemovedLetter } from '../reconcile/removed-unread.ts';
import type { Check } from '../service/admin/admin.ts';
import type { Config } from '../service/config/config.ts';
import { keepTrying } from '../service/keep-trying.ts';
import { reasonOf } from '../service/log.ts';
import type { LossSource } from '../service/losses.ts';
import { createMetrics, DECISIONS, type Metrics } from '../service/metrics.ts';
import { createOutage, type Outage } from '../service/outage.ts';
import { createLetterContents } from '../sink/letter.ts';
import { DECISION_SINK_METRICS, SINK_METRICS } from '../sink/metrics.ts';
import { readDecision } from '../sink/read-record.ts';
import { type SinkOptions, startSink } from '../sink/sink.ts';
import { withoutTombstones } from '../sink/tombstones.ts';
import { createDeadLetterTopic, type DeadLetters } from '../store/dead-letters/dead-letters.ts';
import type { DuckdbIndex } from '../store/duckdb/duckdb.ts';
import type { EventIndex, Index } from '../store/event-index.ts';
import type { Consumer, EventLog } from '../store/event-log.ts';
import type { RemovedRange } from '../store/history.ts';
import type { KafkaClient } from '../store/kafka/client.ts';
import { KafkaError } from '../store/kafka/error.ts';
import { createResets, type OffsetReset } from '../store/kafka/offset-reset.ts';
import { createQuarantine } from '../store/kafka/quarantine.ts';
import { createKafkaLog } from '../store/kafka/topic-log.ts';
import { connectKafka } from './connect-kafka.ts';
import { type Core, warnAs } from './core.ts';
import { openDecisionIndex } from './open-index.ts';
import { recordReader } from './record-reader.ts';
import { type GroupLag, type GroupWatch, watchGroups } from './watch-groups.ts';

/** The accounting of a sink since its start. It balances when `unaccounted` is 0. */
export type SinkAccounts = {
  /** Records processed, of which… */
  consumed: number;
  /** …these were created in the index, */
  indexed: number;
  /** …these were already there, */
  existing: number;
  /** …these the index accepted and then dropped, */
  dropped: number;
  /** …and these are dead letters. */
  dead: number;
  /** consumed − indexed − existing − dropped − dead */
  unaccounted: number;
};

export type SinkMeters = {
  metrics: Metrics<typeof SINK_METRICS>;
  outage: Outage;
  accounts: () => SinkAccounts;
  /** Records that are lost for good. */
  losses: LossSource[];
};

export function createSinkMeters(registry: Registry, now: () => number): SinkMeters {
  return metersOf(createMetrics(registry, SINK_METRICS), now);
}

/** The same for a sink of decisions. */
export function createDecisionMeters(registry: Registry, now: () => number): SinkMeters {
  return metersOf(createMetrics(registry, DECISION_SINK_METRICS, DECISIONS), now);
}

function metersOf(metrics: Metrics<typeof SINK_METRICS>, now: () => number): SinkMeters {
  // From the start on: what watches a counter sees no growth in one that appears with its first value.
  for (const reason of ['invalid', 'rejected', 'undecodable']) metrics.of('sink_dead_total', { reason });
  return {
    metrics,
    outage: createOutage(now),
    losses: [
      { reason: 'removed', total: () => metrics.of('sink_removed_total').value() },
      { reason: 'dead_letters_rolled', total: () => metrics.sum('sink_dead_dropped_total') },
    ],
    accounts() {
      const consumed = metrics.of('sink_consumed_total').value();
      const indexed = metrics.of('sink_indexed_total').value();
      const existing = metrics.of('sink_existing_total').value();
      const dropped = metrics.sum('sink_dropped_total');
      const dead = metrics.sum('sink_dead_total');
      const unaccounted = consumed - indexed - existing - dropped - dead;
      return { consumed, indexed, existing, dropped, dead, unaccounted };
    },
  };
}

/** What of a sink is not configured. */
type Wired<One> = Pick<
  SinkOptions<One>,
  'log' | 'cursor' | 'read' | 'contents' | 'deadLetters' | 'metrics' | 'outage'
> & {
  index: Pick<Index<One>, 'create' | 'failure'>;
  /** What it is called in the log and in `/readyz`; `sink` by default. */
  name?: string;
  /** Others are ready without it until it has read its log for the first time. */
  isOptional?: boolean;
};

/** How a sink reads events, and what it may keep of those that it cannot index. */
export function ofEvents(config: Config): Pick<Wired<HotItemEvent>, 'read' | 'contents'> {
  const privacy = privacyOf(config);
  const contents = createLetterContents<HotItemEvent>({
    keepsAll: keepsEverything(privacy),
    redact: createRedaction(privacy),
  });
  return { read: recordReader(config), contents };
}

/** The same for decisions. They hold nothing about visitors; a record that is no decision may. */
export function ofDecisions(config: Config): Pick<Wired<HotDecision>, 'read' | 'contents'> {
  const keepsAll = keepsEverything(privacyOf(config));
  const contents = createLetterContents<HotDecision>({ keepsAll, redact: (decision) => decision });
  return { read: readDecision, contents };
}

function privacyOf({ privacy: { ip, ip_salt }, event }: Config): RedactionOptions {
  return { ip: { mode: ip, salt: ip_salt }, omit: event.omit };
}

/** Each sink of a process has its own lines in the log. */
const SINK = 'sink';
const SINK_OF_DECISIONS = 'decisions';

/** Starts a sink, stopped with everything else. Retries while its log is unavailable. Returns whether it runs. */
export function wireSink<One>(
  core: Core,
  { name = SINK, isOptional = false, ...options }: Wired<One>,
): Check {
  const { config, shutdown, graceMs } = core;
  const { batch_events, requests } = config.sink;
  const warn = name === SINK ? core.warn : warnAs(core.warn, name);
  // A batch that cannot be decoded may contain anything about a visitor.
  const keepsAll = keepsEverything(privacyOf(config));
  const quarantine = keepsAll ? createQuarantine(join(config.home, 'quarantine')) : undefined;
  const { index, metrics } = options;
  // Also while there is nothing to create.
  if (index.failure !== undefined)
    metrics.of('sink_index_up').follow(() => (index.failure?.() === undefined ? 1 : 0));
  const stopping = new AbortController();
  let consumer: Consumer | undefined;
  let refusal: string | undefined;
  let notYet = 'it cannot read its log yet';
  const started = keepTrying(start, {
    signal: stopping.signal,
    onFailure: (error) => {
      const reason = reasonOf(error);
      options.outage.fails(reason, error instanceof KafkaError ? error.hint : undefined);
      notYet = `it cannot read its log yet: ${reason}`;
      warn('log', 'the sink cannot read its log yet', { reason });
    },
  }).catch(() => {});
  shutdown.add(name, async () => {
    stopping.abort();
    await started;
    await consumer?.close(graceMs);
  });
  return { name, ready };

  function ready(): true | string {
    if (consumer === undefined) return isOptional ? true : notYet;
    return consumer.failure() ?? refused();
  }

  function refused(): true | string {
    return refusal === undefined ? true : `the index rejects everything: ${refusal}`;
  }

  /** If it starts after everything else has stopped, it must leave the group. */
  async function start(): Promise<void> {
    const begun = await startSink({
      ...options,
      quarantine,
      batchEvents: batch_events,
      requests,
      warn,
      say: (fields, message) => core.log.warn(fields, name === SINK ? message : `${name}: ${message}`),
      onRefusal: (reason) => {
        refusal = reason;
      },
    });
    if (stopping.signal.aborted) await begun.close(0);
    else consumer = begun;
    options.outage.works();
  }
}

/** What runs of a sink: whether it does, how far it is behind, and the meters of its decisions, where it reads any. */
export type KafkaSinks = {
  checks: Check[];
  behind: () => GroupLag | undefined;
  decisions?: SinkMeters;
};

/** Kafka → index: what `hotitem sink` runs. */
export async function wireKafkaSinks(
  core: Core,
  index: EventIndex | DuckdbIndex,
  meters: SinkMeters,
): Promise<KafkaSinks> {
  const client = await connectKafka(core);
  core.shutdown.add('kafka client', () => client.close());
  const groups = watchGroups(core);
  const behind = groups.behind(core.config.kafka.topic, core.config.kafka.group);
  const check = wireEventSink(core, { client, index, meters, behind });
  if (!core.config.heat.enabled) return { checks: [check], behind };
  const decisions = createDecisionMeters(core.registry, core.now);
  const ofDecision = {
    client,
    index: await openDecisionIndex(core, index),
    meters: decisions,
    behind: groups.behind(core.config.kafka.decision_topic, core.config.kafka.decision_group),
  };
  return { checks: [check, wireDecisionSink(core, ofDecision)], behind, decisions };
}

type KafkaSink<One> = {
  client: KafkaClient;
  index: Index<One>;
  meters: SinkMeters;
  behind: ReturnType<GroupWatch['behind']>;
};

function followLag(metrics: SinkMeters['metrics'], behind: KafkaSink<unknown>['behind']): void {
  metrics.of('sink_waiting').follow(() => behind()?.records ?? Number.NaN);
}

/** Another group: all members of a group read one topic. */
function wireDecisionSink(core: Core, sink: KafkaSink<HotDecision>): Check {
  const { config } = core;
  const { metrics, outage } = sink.meters;
  const { decision_topic: topic, decision_group: cursor } = config.kafka;
  followLag(metrics, sink.behind);
  const log = topicLog(core, {
    ...sink,
    topic,
    warn: warnAs(core.warn, SINK_OF_DECISIONS),
    onRemoved: () => {},
  });
  return wireSink(core, {
    ...ofDecisions(config),
    name: SINK_OF_DECISIONS,
    // After an upgrade the topic, or the permission to read it, may be missing: events are delivered all the same. `hotitem status` says so.
    isOptional: true,
    log: withoutTombstones(log, passOver),
    cursor,
    index: sink.index,
    deadLetters: deadLetterTopic(core, sink),
    metrics,
    outage,
  });

  function passOver(tombstones: number): void {
    metrics.of('sink_consumed_total').add(tombstones);
    metrics.of('sink_dropped_total', { reason: 'tombstone' }).add(tombstones);
  }
}

function wireEventSink(core: Core, sink: KafkaSink<HotItemEvent>): Check {
  const { config, shutdown, warn } = core;
  const { metrics, outage } = sink.meters;
  const { topic, group } = config.kafka;
  followLag(metrics, sink.behind);
  const stopping = new AbortController();
  shutdown.add('letters of what was removed', async () => stopping.abort());
  const deadLetters = deadLetterTopic(core, sink);
  const log = topicLog(core, { ...sink, topic, warn, onRemoved: keep });
  return wireSink(core, {
    ...ofEvents(config),
    log,
    cursor: group,
    index: sink.index,
    deadLetters,
    metrics,
    outage,
  });

  /** Stores a dead letter for `hotitem verify`: once the group has committed past the gap, Kafka no longer shows it. */
  function keep(range: RemovedRange): void {
    keepTrying(() => deadLetters.add([toRemovedLetter(range)]), {
      signal: stopping.signal,
      onFailure: (error) =>
        warn('removed', 'cannot store the dead letter for records that Kafka deleted, retrying', {
          reason: reasonOf(error),
        }),
    }).catch(() => {});
  }
}

function deadLetterTopic({ config, now }: Core, { client }: Pick<KafkaSink<unknown>, 'client'>): DeadLetters {
  return createDeadLetterTopic(client, config.kafka.dead_letter_topic, now);
}

type TopicLogOptions = Pick<KafkaSink<unknown>, 'client' | 'meters'> & {
  topic: string;
  warn: Core['warn'];
  /** Told of records that Kafka deleted before they were read. */
  onRemoved: (range: RemovedRange) => void;
};

/** A topic as the log of a sink, which counts what it lost there. */
function topicLog({ config }: Core, { client, meters, topic, warn, onRemoved }: TopicLogOptions): EventLog {
  const { metrics } = meters;
  const passedOver = createResets();
  return createKafkaLog({ client, topic, concurrency: config.sink.concurrency, headers: {}, onReset });

  function onReset(reset: OffsetReset): void {
    const { partition, from, to } = reset;
    const count = Number(passedOver(reset));
    metrics.of('sink_offset_resets_total').add();
    metrics.of('sink_removed_total').add(count);
    warn(
      `offsets ${partition}`,
      count > 0
        ? 'Kafka deleted records before this sink had read them; it continues at the oldest record'
        : 'a partition no longer has the next offset; the sink continues at its oldest record',
      { partition: `${topic}/${partition}`, from: String(from), to: String(to), removed: count },
    );
    if (count === 0) return;
    const first = to - BigInt(count);
    onRemoved({ source: `${topic}/${partition}`, first: String(first), last: String(to - 1n) });
  }
}
