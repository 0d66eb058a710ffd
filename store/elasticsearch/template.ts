import type { estypes } from '@elastic/elasticsearch';

/** Raised with every change of what is below, so that an older `hotitem setup` leaves a newer template alone. */
export const TEMPLATE_VERSION = 3;

export const MANAGED_BY = 'hotitem';

/** What is left out takes its default in a new template, and is left as it is in one that is there. */
export type TemplateOptions = {
  dataStream: string;
  /** Of two templates for the same name the one with the higher priority applies. */
  priority?: number | undefined;
  /** How long the data stream's lifecycle keeps a document. */
  retentionDays?: number | undefined;
  /** How soon a document can be searched; larger is cheaper. */
  refreshSeconds?: number | undefined;
  /** Primary shards of a new backing index. */
  shards?: number | undefined;
  replicas?: number | undefined;
};

export type IndexTemplate = estypes.IndicesPutIndexTemplateRequest & {
  template: { mappings: estypes.MappingTypeMapping; settings: estypes.IndicesIndexSettings };
};

/** Every field that `toEcs` writes. Lucene refuses terms above 32 KB, hence a limit wherever a text may be long. */
export const MAPPINGS = {
  dynamic: false,
  properties: {
    '@timestamp': { type: 'date' },
    event: {
      properties: {
        id: { type: 'keyword' },
        dataset: { type: 'keyword' },
        created: { type: 'date' },
      },
    },
    url: {
      properties: {
        original: { type: 'keyword', ignore_above: 8191 },
        path: { type: 'keyword', ignore_above: 2048 },
        query: { type: 'keyword', ignore_above: 4096 },
        domain: { type: 'keyword', ignore_above: 1024 },
      },
    },
    http: {
      properties: {
        request: {
          properties: {
            method: { type: 'keyword', ignore_above: 1024 },
            referrer: { type: 'keyword', ignore_above: 2048 },
          },
        },
      },
    },
    client: {
      properties: {
        address: { type: 'keyword', ignore_above: 1024 },
        ip: { type: 'ip', ignore_malformed: true },
      },
    },
    source: { properties: { ip: { type: 'ip', ignore_malformed: true } } },
    user_agent: { properties: { original: { type: 'keyword', ignore_above: 1024 } } },
    host: { properties: { name: { type: 'keyword', ignore_above: 1024 } } },
    hot_item: {
      properties: {
        id: { type: 'keyword', ignore_above: 1024 },
        weight: { type: 'double' },
        visitor: { type: 'keyword', ignore_above: 1024 },
        kind: { type: 'keyword', ignore_above: 1024 },
        bot: { type: 'boolean' },
        cut: { type: 'keyword', ignore_above: 1024 },
      },
    },
  },
} as const satisfies estypes.MappingTypeMapping;

/** The template of exactly this data stream: `hot_item` takes no `hot_item_archive` along. */
export function indexTemplate({
  dataStream,
  // Above Elastic's own (at most 200) and what an operator would write without a thought.
  priority = 500,
  retentionDays = 30,
  refreshSeconds = 1,
  shards = 1,
  replicas = 0,
}: TemplateOptions): IndexTemplate {
  return {
    name: dataStream,
    index_patterns: [dataStream],
    data_stream: {},
    priority,
    version: TEMPLATE_VERSION,
    _meta: { managed_by: MANAGED_BY, version: TEMPLATE_VERSION, description: 'Item views captured at nginx' },
    template: {
      mappings: MAPPINGS,
      settings: {
        index: {
          number_of_shards: shards,
          number_of_replicas: replicas,
          // Set even where it is the default: else an index that nobody searches for 30 s stops refreshing.
          refresh_interval: `${refreshSeconds}s`,
        },
      },
      lifecycle: { data_retention: `${retentionDays}d` },
    },
  };
}

/** Those of an index's settings that somebody asked for. */
export function indexSettings({
  shards,
  replicas,
  refreshSeconds,
}: TemplateOptions): Record<string, unknown> {
  return {
    ...(shards !== undefined && { number_of_shards: shards }),
    ...liveSettings({ replicas, refreshSeconds }),
  };
}

/** Those that can be changed in an index that is there. */
export function liveSettings({
  replicas,
  refreshSeconds,
}: Pick<TemplateOptions, 'replicas' | 'refreshSeconds'>): Record<string, unknown> {
  return {
    ...(replicas !== undefined && { number_of_replicas: replicas }),
    ...(refreshSeconds !== undefined && { refresh_interval: `${refreshSeconds}s` }),
  };
}
