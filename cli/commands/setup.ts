import { connectKafka } from '../../app/connect-kafka.ts';
import { type Core, createCore } from '../../app/core.ts';
import { elasticsearchConnection } from '../../app/open-index.ts';
import { needsSetup } from '../../app/parts.ts';
import { importDashboard } from '../../kibana/import-dashboard.ts';
import type { Change, ChangeOptions } from '../../service/change.ts';
import type { Config } from '../../service/config/config.ts';
import { Trouble } from '../../service/trouble.ts';
import type { TemplateOptions } from '../../store/elasticsearch/template.ts';
import type { TopicSpec } from '../../store/kafka/client.ts';
import { changesText, lossesText } from '../changes-text.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { askYes, print, printJson } from '../terminal.ts';

export const setup: Command = {
  about: 'makes the topics, the index template and its lifecycle, and the Kibana dashboard; may be run again',
  options: {
    'dry-run': { type: 'boolean', about: 'only say what would be done' },
    yes: { type: 'boolean', about: 'do not ask before a change that loses something: a shorter retention' },
    kibana: { type: 'string', placeholder: 'URL', about: 'also import the dashboard into this Kibana' },
    json: { type: 'boolean', about: 'print the changes as JSON' },
  },
  configured: true,
  async run(context) {
    const { 'dry-run': dryRun, yes, kibana, json, ...flags } = context.flags;
    const core = createCore(configure({ ...context, flags }));
    if (!needsSetup(core.parts) && kibana === undefined)
      throw new Trouble('there is nothing to set up', 'Set KAFKA_BROKERS, ELASTICSEARCH_NODE or --kibana.');
    const changes = dryRun === true ? await make({ dryRun: true }) : await makeAsked();
    if (json === true) printJson(changes);
    else print(changesText(changes, dryRun === true));
    return changes.some(isRefusedSetting) ? 1 : 0;

    async function make(options: ChangeOptions): Promise<Change[]> {
      const made = await setUp(core, options);
      if (typeof kibana === 'string') made.push(await importDashboard(kibana, core.config, options));
      return made;
    }

    async function makeAsked(): Promise<Change[]> {
      if (yes === true) return make({ dryRun: false, mayLose: true });
      const losses = (await make({ dryRun: true })).filter(({ loses }) => loses !== undefined);
      return make({ dryRun: false, mayLose: losses.length > 0 && (await askYes(lossesText(losses))) });
    }
  },
};

/**
 * Makes what the configured Kafka and Elasticsearch need. What is there already is changed only where the operator gave that
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
    const { setupElasticsearch } = await import('../../store/elasticsearch/setup.ts');
    changes.push(
      ...(await setupElasticsearch({ ...elasticsearchConnection(config), ...template(config), ...options })),
    );
  }
  return changes;
}

/** A setting that somebody gave is not applied: that is a failure, as a dashboard that is left as it is is not. */
function isRefusedSetting({ action, settings }: Change): boolean {
  return action === 'kept' && settings !== undefined;
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
