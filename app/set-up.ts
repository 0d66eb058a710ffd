import type { Change, ChangeOptions } from '../service/change.ts';
import type { Config } from '../service/config/config.ts';
import type { TemplateOptions } from '../store/elasticsearch/template.ts';
import type { TopicSpec } from '../store/kafka/client.ts';
import { connectKafka } from './connect-kafka.ts';
import type { Core } from './core.ts';
import { elasticsearchConnection } from './open-index.ts';

/**
 * Creates what the configured Kafka and Elasticsearch need. Existing objects are changed only where the operator gave that
 * very setting. Rejects when one of them does not answer.
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
    changes.push(
      ...(await setupElasticsearch({ ...elasticsearchConnection(config), ...template(config), ...options })),
    );
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

function topics({ kafka, given }: Config): TopicSpec[] {
  const retentionMs = kafka.retention_hours * 3_600_000;
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
  ];
}
