import type { Change, ChangeOptions } from '../service/change.ts';
import type { Config } from '../service/config/config.ts';
import type { TemplateOptions } from '../store/elasticsearch/template.ts';
import type { TopicSpec } from '../store/kafka/client.ts';
import { connectKafka } from './connect-kafka.ts';
import type { Core } from './core.ts';
import { elasticsearchConnection } from './open-index.ts';

const HOUR_MS = 3_600_000;

/**
 * Creates what the configured Kafka and Elasticsearch need. Changes an existing object only in settings that the operator configured.
 * Rejects if one of them does not answer.
 */
export async function setUp(core: Core, options: ChangeOptions): Promise<Change[]> {
  const { config, parts } = core;
  const changes: Change[] = [];
  if (parts.kafka) {
    const client = await connectKafka(core);
    try {
      changes.push(...(await client.setup(topics(config), options)));
    } finally {
      await client.close();
    }
  }
  if (parts.index === 'elasticsearch') {
    const { setupElasticsearch } = await import('../store/elasticsearch/setup.ts');
    const { DECISIONS } = await import('../store/elasticsearch/decisions.ts');
    const common = { ...elasticsearchConnection(config), ...template(config), ...options };
    const decisions = { dataStream: config.elasticsearch.decision_data_stream, content: DECISIONS };
    changes.push(...(await setupElasticsearch(common)));
    if (config.heat.enabled) changes.push(...(await setupElasticsearch({ ...common, ...decisions })));
  }
  return changes;
}

function template({ elasticsearch, given }: Config): TemplateOptions {
  const { data_stream, template_priority, retention_days, refresh_seconds, shards, replicas } = elasticsearch;
  const ifGiven = (name: string, value: number) => (given.has(`elasticsearch.${name}`) ? value : undefined);
  return {
    dataStream: data_stream,
    priority: ifGiven('template_priority', template_priority),
    retentionDays: ifGiven('retention_days', retention_days),
    refreshSeconds: ifGiven('refresh_seconds', refresh_seconds),
    shards: ifGiven('shards', shards),
    replicas: ifGiven('replicas', replicas),
  };
}

function topics(config: Config): TopicSpec[] {
  const { kafka, given } = config;
  const retentionMs = kafka.retention_hours * HOUR_MS;
  const { replication_factor: replicationFactor, partitions } = kafka;
  const ofBoth: TopicSpec['given'] = [
    ...(given.has('kafka.replication_factor') ? (['replicationFactor'] as const) : []),
    ...(given.has('kafka.retention_hours') ? (['retentionMs'] as const) : []),
  ];
  const ofEvents = given.has('kafka.partitions') ? ([...ofBoth, 'partitions'] as const) : ofBoth;
  const common = { replicationFactor, retentionMs };
  return [
    { ...common, topic: kafka.topic, partitions, given: ofEvents },
    { ...common, topic: kafka.dead_letter_topic, partitions: 1, given: ofBoth },
    ...(config.heat.enabled ? [decisionTopic(config)] : []),
  ];
}

/**
 * One partition: decisions are few, and consumers then read them in order. Compaction keeps the last decision of an item. Earlier ones are
 * kept as long as events are, which is how long a sink may be stopped. An item that is not published again within the retention is removed,
 * so that names that clients choose do not fill the topic forever.
 */
function decisionTopic({ kafka, given }: Config): TopicSpec {
  const { decision_topic: topic, replication_factor: replicationFactor } = kafka;
  return {
    topic,
    partitions: 1,
    replicationFactor,
    retentionMs: kafka.decision_retention_hours * HOUR_MS,
    settings: {
      'cleanup.policy': 'compact,delete',
      'min.compaction.lag.ms': String(kafka.retention_hours * HOUR_MS),
      // Only a segment that is closed is compacted, or deleted.
      'segment.ms': String(24 * HOUR_MS),
    },
    given: [
      ...(given.has('kafka.replication_factor') ? (['replicationFactor'] as const) : []),
      ...(given.has('kafka.decision_retention_hours') ? (['retentionMs'] as const) : []),
    ],
  };
}
