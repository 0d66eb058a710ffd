import type { Client, estypes } from '@elastic/elasticsearch';
import * as z from 'zod';
import { actionOf, type ChangeOptions, differences, type SettingChange } from '../../service/change.ts';
import { readAnswer } from './answer.ts';
import { isMissing, reasonIn, statusOf } from './client.ts';
import { lackingFields, toChanges, withFields } from './mapping.ts';
import { inIndex, toMs, toTexts } from './setting.ts';
import { SetupRefused } from './setup-refused.ts';
import { EVENTS, liveSettings, type TemplateOptions } from './template.ts';
import type { Step } from './template-setup.ts';

const record = z.record(z.string(), z.unknown());
const resolved = z.object({
  indices: z.array(z.object({ name: z.string() })),
  aliases: z.array(z.object({ name: z.string(), indices: z.array(z.string()).default([]) })),
  data_streams: z.array(z.object({ name: z.string() })),
});
const dataStreams = z.object({ data_streams: z.array(z.object({ name: z.string() })) });
const mappings = z.record(z.string(), z.object({ mappings: z.object({ properties: record.optional() }) }));
const settingsOfAll = z.record(z.string(), z.object({ settings: z.object({ index: record }) }));
const lifecycles = z.object({
  data_streams: z.array(
    z.object({
      lifecycle: z
        .looseObject({ enabled: z.boolean().default(true), data_retention: z.string().optional() })
        .optional(),
    }),
  ),
});

/** Whether there is a data stream by that name. Throws a `SetupRefused` where something else has the name. */
export async function dataStreamExists(client: Client, name: string): Promise<boolean> {
  const answer = await unlessMissing(client.indices.resolveIndex({ name }));
  if (answer === undefined) return false;
  const { indices, aliases, data_streams } = readAnswer(resolved, answer, `what ${name} is`);
  const [alias] = aliases;
  if (alias !== undefined) {
    throw new SetupRefused(
      `${name} is an alias for ${alias.indices.join(', ')}, not a data stream: remove the alias, or set another elasticsearch.data_stream`,
    );
  }
  if (indices.length > 0) {
    throw new SetupRefused(
      `${name} is an index, not a data stream: copy it to another name (POST /_reindex) and delete it, or set another elasticsearch.data_stream`,
    );
  }
  return data_streams.length > 0;
}

/** Whether Elasticsearch has the API of data streams. The minimal distribution has none: the first document makes the stream there. */
export async function hasDataStreamApi(client: Client, name: string): Promise<boolean> {
  try {
    readAnswer(dataStreams, await client.indices.getDataStream({ name }), 'the data streams');
    return true;
  } catch (error) {
    if (isMissing(error)) return true;
    if (statusOf(error) === 405 || statusOf(error) === 400) return false;
    throw error;
  }
}

export function createStream(client: Client, name: string): Step {
  const apply = () => client.indices.createDataStream({ name });
  return { what: `data stream ${name}`, action: 'create', apply };
}

/** A template is for backing indices to come; the one that is written to now gets the fields that it lacks as well. */
export async function planMapping(
  client: Client,
  { dataStream: name, content = EVENTS }: TemplateOptions,
): Promise<Step> {
  const wanted = content.mappings.properties;
  const answer = readAnswer(mappings, await client.indices.getMapping({ index: name }), 'the mapping');
  // Backing indices are numbered: the last is the one that is written to.
  const current = Object.entries(answer)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .at(-1)?.[1].mappings.properties;
  const settings = toChanges(lackingFields(current, wanted));
  const properties = withFields(current, wanted);
  return toStep(`mapping of ${name}`, settings, () => putMapping(client, name, { properties }));
}

async function putMapping(
  client: Client,
  name: string,
  mapping: estypes.MappingTypeMapping,
): Promise<unknown> {
  try {
    return await client.indices.putMapping({ index: name, write_index_only: true, ...mapping });
  } catch (error) {
    if (statusOf(error) !== 400) throw error;
    throw new SetupRefused(
      `${reasonIn(error)}: create a new backing index with the new mapping: POST /${name}/_rollover`,
      { cause: error },
    );
  }
}

/** The settings that were given, in every backing index. */
export async function planSettings(client: Client, options: TemplateOptions): Promise<Step> {
  const { dataStream: name } = options;
  const wanted = liveSettings(options);
  const what = `settings of ${name}`;
  if (Object.keys(wanted).length === 0) return toStep(what, [], async () => {});
  const answer = readAnswer(settingsOfAll, await client.indices.getSettings({ index: name }), 'the settings');
  const settings = Object.values(answer).flatMap((index) =>
    differences(toTexts(inIndex(index.settings.index)), toTexts(inIndex(wanted))),
  );
  return toStep(what, distinct(settings), () =>
    client.indices.putSettings({ index: name, settings: { index: wanted } }),
  );
}

/** The retention that was given. A shorter one deletes documents. */
export async function planLifecycle(client: Client, options: TemplateOptions & ChangeOptions): Promise<Step> {
  const { dataStream: name, retentionDays } = options;
  const what = `lifecycle of ${name}`;
  if (retentionDays === undefined) return toStep(what, [], async () => {});
  const answer = readAnswer(lifecycles, await client.indices.getDataLifecycle({ name }), 'the lifecycle');
  const found = answer.data_streams[0]?.lifecycle;
  const data_retention = `${retentionDays}d`;
  const settings = differences({ data_retention: found?.data_retention }, { data_retention });
  const before = found?.data_retention === undefined ? undefined : toMs(found.data_retention);
  const isShorter = settings.length > 0 && !(before !== undefined && before <= retentionDays * DAY_MS);
  const loses = isShorter ? `documents older than ${retentionDays} days` : undefined;
  const apply = () =>
    client.transport.request({
      method: 'PUT',
      path: `/_data_stream/${name}/_lifecycle`,
      // What is left out is reset.
      body: { ...found, data_retention },
    });
  return {
    what,
    action: actionOf({ settings, loses }, options),
    ...(settings.length > 0 && { settings }),
    ...(loses !== undefined && { loses }),
    apply,
  };
}

const DAY_MS = 86_400_000;

function toStep(what: string, settings: SettingChange[], apply: Step['apply']): Step {
  return settings.length === 0
    ? { what, action: 'unchanged', apply }
    : { what, action: 'update', settings, apply };
}

/** The same setting may have several values: one line for each. */
function distinct(changes: SettingChange[]): SettingChange[] {
  return [...new Map(changes.map((change) => [`${change.name} ${change.from}`, change])).values()];
}

async function unlessMissing<Answer>(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
