import type { estypes } from '@elastic/elasticsearch';
import { MAPPINGS, type Properties } from './mappings.ts';

/** Raised with every change of what is below, so that an older `hotitem setup` leaves a newer template alone. */
export const TEMPLATE_VERSION = 5;

/** What a data stream holds. */
export type StreamContent = {
  mappings: { dynamic: false; properties: Properties };
  /** Of its template. */
  version: number;
  /** For people. */
  description: string;
};

export const EVENTS: StreamContent = {
  mappings: MAPPINGS,
  version: TEMPLATE_VERSION,
  description: 'Item views captured at nginx',
};

export const MANAGED_BY = 'hotitem';

/** Omitted options get their default in a new template, and are not changed in an existing one. */
export type TemplateOptions = {
  dataStream: string;
  /** `EVENTS` by default. */
  content?: StreamContent;
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

/** The template of exactly this data stream: `hot_item` takes no `hot_item_archive` along. */
export function indexTemplate({
  dataStream,
  content: { mappings, version, description } = EVENTS,
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
    version,
    _meta: { managed_by: MANAGED_BY, version, description },
    template: {
      mappings,
      settings: {
        index: {
          number_of_shards: shards,
          number_of_replicas: replicas,
          // Set even to the default: otherwise an index without searches for 30 s stops refreshing.
          refresh_interval: `${refreshSeconds}s`,
        },
      },
      lifecycle: { data_retention: `${retentionDays}d` },
    },
  };
}

/** The index settings that were given. */
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

/** Those that can be changed in an existing index. */
export function liveSettings({
  replicas,
  refreshSeconds,
}: Pick<TemplateOptions, 'replicas' | 'refreshSeconds'>): Record<string, unknown> {
  return {
    ...(replicas !== undefined && { number_of_replicas: replicas }),
    ...(refreshSeconds !== undefined && { refresh_interval: `${refreshSeconds}s` }),
  };
}
