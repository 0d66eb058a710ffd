import type { Client, estypes } from '@elastic/elasticsearch';
import {
  connectElasticsearch,
  type ElasticsearchConnection,
  reasonIn,
  statusOf,
  toUnavailable,
} from './elasticsearch-client.ts';
import {
  type IndexTemplate,
  indexTemplate,
  MANAGED_BY,
  TEMPLATE_VERSION,
  type TemplateOptions,
} from './elasticsearch-template.ts';
import type { Change } from './kafka-client.ts';
import { SetupRefused } from './setup-refused.ts';

export type SetupOptions = ElasticsearchConnection & TemplateOptions & { dryRun: boolean };

type Step = Change & { apply: () => Promise<unknown> };

/**
 * Makes the index template, the data stream and its lifecycle what the options say, and changes nothing where they are
 * so already. Returns what it did; with `dryRun` what it would do. Throws an `IndexUnavailable` when Elasticsearch does
 * not answer or does not permit it, and a `SetupRefused` when trying again will not help.
 */
export async function setupElasticsearch(options: SetupOptions): Promise<Change[]> {
  const client = connectElasticsearch(options);
  try {
    const steps = await plan(client, indexTemplate(options));
    for (const { action, apply } of steps) {
      if (action !== 'unchanged' && !options.dryRun) await apply();
    }
    return steps.map(({ what, action }) => ({ what, action }));
  } catch (error) {
    if (statusOf(error) === 400)
      throw new SetupRefused(`Elasticsearch refuses: ${reasonIn(error)}`, { cause: error });
    throw toUnavailable(error);
  } finally {
    await client.close();
  }
}

async function plan(client: Client, wanted: IndexTemplate): Promise<Step[]> {
  const template = await planTemplate(client, wanted);
  const exists = await dataStreamExists(client, wanted.name);
  // The minimal distribution has data streams without their API: there the first document makes the stream.
  const manageable = await hasDataStreamApi(client, wanted.name);
  if (!exists) return manageable ? [template, createStream(client, wanted.name)] : [template];
  const steps = [template, await planMapping(client, wanted), await planSettings(client, wanted)];
  return manageable ? [...steps, await planLifecycle(client, wanted)] : steps;
}

async function planTemplate(client: Client, wanted: IndexTemplate): Promise<Step> {
  const { name } = wanted;
  const answer = await unless404(client.indices.getIndexTemplate({ name }));
  const found = answer?.index_templates[0]?.index_template;
  if (found !== undefined) refuseForeign(name, found);
  return {
    what: `index template ${name}`,
    action: found === undefined ? 'create' : covers(found, templateBody(wanted)) ? 'unchanged' : 'update',
    apply: () => client.indices.putIndexTemplate(wanted),
  };
}

function templateBody({ name: _, ...body }: IndexTemplate): Omit<IndexTemplate, 'name'> {
  return body;
}

function refuseForeign(name: string, { _meta }: estypes.IndicesIndexTemplate): void {
  if (_meta?.managed_by !== MANAGED_BY) {
    throw new SetupRefused(
      `the index template ${name} was not made by hotitem: delete it, or choose another elasticsearch.data_stream`,
    );
  }
  if (Number(_meta.version) > TEMPLATE_VERSION) {
    throw new SetupRefused(
      `the index template ${name} has version ${_meta.version}, this hotitem knows ${TEMPLATE_VERSION}: run the newer one`,
    );
  }
}

async function dataStreamExists(client: Client, name: string): Promise<boolean> {
  const found = await unless404(client.indices.resolveIndex({ name }));
  if (found === undefined) return false;
  if (found.indices.length > 0 || found.aliases.length > 0) {
    throw new SetupRefused(
      `${name} is an index or an alias there and not a data stream: rename or delete it, or choose another elasticsearch.data_stream`,
    );
  }
  return found.data_streams.length > 0;
}

async function hasDataStreamApi(client: Client, name: string): Promise<boolean> {
  try {
    await client.indices.getDataStream({ name });
    return true;
  } catch (error) {
    const status = statusOf(error);
    if (status === 404) return true;
    if (status === 405 || status === 400) return false;
    throw error;
  }
}

function createStream(client: Client, name: string): Step {
  return {
    what: `data stream ${name}`,
    action: 'create',
    apply: () => client.indices.createDataStream({ name }),
  };
}

/** A template is for backing indices to come; the one that is written to now gets the new fields as well. */
async function planMapping(client: Client, { name, template }: IndexTemplate): Promise<Step> {
  const { mappings } = template;
  const answer = await client.indices.getMapping({ index: name });
  // Backing indices are numbered: the last is the one that is written to.
  const current = Object.entries(answer)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .at(-1)?.[1].mappings;
  return {
    what: `mapping of ${name}`,
    action: covers(current, mappings) ? 'unchanged' : 'update',
    apply: () => putMapping(client, name, mappings),
  };
}

async function putMapping(client: Client, name: string, mappings: estypes.MappingTypeMapping): Promise<void> {
  try {
    await client.indices.putMapping({ index: name, write_index_only: true, ...mappings });
  } catch (error) {
    if (statusOf(error) !== 400) throw error;
    throw new SetupRefused(
      `${reasonIn(error)}: begin a new backing index, which has the new mapping, with POST /${name}/_rollover`,
      { cause: error },
    );
  }
}

async function planSettings(client: Client, { name, template }: IndexTemplate): Promise<Step> {
  const { number_of_replicas = 0, refresh_interval = '1s' } = template.settings.index ?? {};
  const wanted = { index: { number_of_replicas, refresh_interval } };
  const answer = await client.indices.getSettings({ index: name });
  const unchanged = Object.values(answer).every(({ settings }) => covers(settings, wanted));
  return {
    what: `settings of ${name}`,
    action: unchanged ? 'unchanged' : 'update',
    apply: () => client.indices.putSettings({ index: name, settings: wanted }),
  };
}

async function planLifecycle(client: Client, { name, template }: IndexTemplate): Promise<Step> {
  const answer = await client.indices.getDataLifecycle({ name });
  return {
    what: `lifecycle of ${name}`,
    action: covers(answer.data_streams[0]?.lifecycle, template.lifecycle) ? 'unchanged' : 'update',
    apply: () => client.indices.putDataLifecycle({ name, ...template.lifecycle }),
  };
}

/** Whether `found` holds all of `wanted`. Elasticsearch gives numbers and booleans back as texts, and adds its defaults. */
function covers(found: unknown, wanted: unknown): boolean {
  if (!isObject(wanted)) return String(found) === String(wanted);
  return isObject(found) && Object.entries(wanted).every(([key, value]) => covers(found[key], value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

async function unless404<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}
