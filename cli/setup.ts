import type { Config } from '../service/config.ts';
import type { Change, TopicSpec } from '../store/kafka-client.ts';
import type { Command } from './command.ts';
import { configure } from './configure.ts';
import { type Core, connectKafka, createCore } from './core.ts';
import { importDashboard } from './import-dashboard.ts';
import { elasticsearchConnection } from './open-index.ts';
import { Trouble } from './trouble.ts';

export const setup: Command = {
  about: 'makes the topics, the index template and its lifecycle, and the Kibana dashboard; may be run again',
  options: {
    'dry-run': { type: 'boolean', about: 'only say what would be done' },
    kibana: { type: 'string', placeholder: 'URL', about: 'also import the dashboard into this Kibana' },
    json: { type: 'boolean', about: 'print the changes as JSON' },
  },
  configured: true,
  async run(context) {
    const { 'dry-run': dryRun = false, kibana, json = false, ...flags } = context.flags;
    const core = createCore(configure({ ...context, flags }));
    const { brokers } = core.config.kafka;
    const nothing =
      brokers.length === 0 && core.config.elasticsearch.node === undefined && kibana === undefined;
    if (nothing)
      throw new Trouble('there is nothing to set up', 'Set KAFKA_BROKERS, ELASTICSEARCH_NODE or --kibana.');
    const changes = await setUp(core, dryRun === true);
    if (typeof kibana === 'string') changes.push(await importDashboard(kibana, core.config, dryRun === true));
    process.stdout.write(json === true ? `${JSON.stringify(changes)}\n` : table(changes, dryRun === true));
    return 0;
  },
};

/** Makes what the configured Kafka and Elasticsearch need. Rejects when one of them does not answer. */
export async function setUp(core: Core, dryRun: boolean): Promise<Change[]> {
  const { config } = core;
  const changes: Change[] = [];
  if (config.kafka.brokers.length > 0) {
    const client = await connectKafka(core);
    try {
      changes.push(...(await client.setup(topics(config), { dryRun })));
    } finally {
      await client.close();
    }
  }
  if (config.elasticsearch.node !== undefined) {
    const { setupElasticsearch } = await import('../store/elasticsearch-setup.ts');
    const { data_stream, retention_days, refresh_seconds, shards, replicas } = config.elasticsearch;
    const template = {
      dataStream: data_stream,
      retentionDays: retention_days,
      refreshSeconds: refresh_seconds,
      shards,
      replicas,
    };
    changes.push(...(await setupElasticsearch({ ...elasticsearchConnection(config), ...template, dryRun })));
  }
  return changes;
}

function topics({ kafka }: Config): TopicSpec[] {
  const common = {
    replicationFactor: kafka.replication_factor,
    retentionMs: kafka.retention_hours * 3_600_000,
  };
  return [
    { ...common, topic: kafka.topic, partitions: kafka.partitions },
    { ...common, topic: kafka.dead_letter_topic, partitions: 1 },
  ];
}

function table(changes: Change[], dryRun: boolean): string {
  const verbs = dryRun
    ? { create: 'would create', update: 'would update', unchanged: 'unchanged' }
    : { create: 'created', update: 'updated', unchanged: 'unchanged' };
  return changes.map(({ what, action }) => `${verbs[action].padEnd(14)}${what}\n`).join('');
}
