import type { Client } from '@elastic/elasticsearch';
import * as z from 'zod';
import type { Change, ChangeOptions } from '../../service/change.ts';
import { readAnswer } from './answer.ts';
import {
  connectElasticsearch,
  type ElasticsearchConnection,
  reasonIn,
  statusOf,
  toUnavailable,
} from './client.ts';
import { SetupRefused } from './setup-refused.ts';
import {
  createStream,
  dataStreamExists,
  hasDataStreamApi,
  planLifecycle,
  planMapping,
  planSettings,
} from './stream-setup.ts';
import type { TemplateOptions } from './template.ts';
import { planTemplate, type Step } from './template-setup.ts';

const acknowledged = z.object({ acknowledged: z.literal(true) });

export type SetupOptions = ElasticsearchConnection & TemplateOptions & ChangeOptions;

/**
 * Creates the index template and the data stream. In existing ones it adds missing fields, changes the settings that the options name, and
 * nothing else. Returns what it did; with `dryRun` what it would do. Throws an `IndexUnavailable` if Elasticsearch does not answer or
 * denies permission, and a `SetupRefused` if retrying will not help.
 */
export async function setupElasticsearch(options: SetupOptions): Promise<Change[]> {
  const client = connectElasticsearch(options);
  try {
    const steps = await plan(client, options);
    for (const { what, action, apply } of steps) {
      const isDue = (action === 'create' || action === 'update') && !options.dryRun;
      if (isDue) readAnswer(acknowledged, await apply(), what);
    }
    return steps.map(({ apply: _, ...change }) => change);
  } catch (error) {
    if (statusOf(error) === 400 && reasonIn(error) !== undefined)
      throw new SetupRefused(`Elasticsearch refuses: ${reasonIn(error)}`, { cause: error });
    throw toUnavailable(error);
  } finally {
    await client.close();
  }
}

async function plan(client: Client, options: SetupOptions): Promise<Step[]> {
  const { dataStream } = options;
  const exists = await dataStreamExists(client, dataStream);
  const template = await planTemplate(client, options);
  const manageable = await hasDataStreamApi(client, dataStream);
  if (!exists) return manageable ? [template, createStream(client, dataStream)] : [template];
  const steps = [template, await planMapping(client, options), await planSettings(client, options)];
  return manageable ? [...steps, await planLifecycle(client, options)] : steps;
}
