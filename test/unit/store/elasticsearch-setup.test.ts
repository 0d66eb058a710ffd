import { afterEach, expect, test } from '@jest/globals';
import { setupElasticsearch } from '../../../store/elasticsearch-setup.ts';
import { indexTemplate } from '../../../store/elasticsearch-template.ts';
import type { Change } from '../../../store/kafka-client.ts';
import { type Answer, type Asked, type StandIn, startStandIn } from './elasticsearch-stand-in.ts';

// The distribution that tests can have lacks the API of data streams. Its answers here are those of the documentation.
const NAME = 'hot_item';
const MISSING: Answer = { status: 404, body: { error: { type: 'index_not_found_exception' }, status: 404 } };
const { template, ...rest } = indexTemplate({ dataStream: NAME });
const TEMPLATE = { index_templates: [{ name: NAME, index_template: { ...rest, template } }] };

let standIn: StandIn;
afterEach(() => standIn.close());

test('the data stream is made at once where it can be', async () => {
  standIn = await startStandIn(answers({}));

  expect(await setup()).toEqual([
    { what: 'index template hot_item', action: 'create' },
    { what: 'data stream hot_item', action: 'create' },
  ]);
  expect(changesAsked()).toEqual(['PUT /_index_template/hot_item', 'PUT /_data_stream/hot_item']);
});

test('a dry run asks only questions', async () => {
  standIn = await startStandIn(answers({}));

  const changes = await setup({ dryRun: true });

  expect(changes).toContainEqual({ what: 'data stream hot_item', action: 'create' });
  expect(changesAsked()).toEqual([]);
});

test('the retention of a data stream that is there is brought up to date', async () => {
  standIn = await startStandIn(answers({ exists: true, retention: '90d' }));

  const changes = await setup();

  expect(changes.filter(({ action }) => action !== 'unchanged')).toEqual([
    { what: 'lifecycle of hot_item', action: 'update' },
  ]);
  expect(changesAsked()).toEqual(['PUT /_data_stream/hot_item/_lifecycle']);
  expect(standIn.asked.at(-1)?.body).toBe('{"data_retention":"30d"}');
});

test('nothing is changed where everything is as it should be', async () => {
  standIn = await startStandIn(answers({ exists: true, retention: '30d' }));

  const changes = await setup();

  expect(new Set(changes.map(({ action }) => action))).toEqual(new Set(['unchanged']));
  expect(changesAsked()).toEqual([]);
});

test('a login that may not do this is named', async () => {
  standIn = await startStandIn(() => ({ status: 403 }));

  await expect(setup()).rejects.toMatchObject({
    name: 'IndexUnavailable',
    message: 'Elasticsearch does not permit this (403)',
  });
});

function setup({ dryRun = false }: { dryRun?: boolean } = {}): Promise<Change[]> {
  return setupElasticsearch({ node: standIn.node, requestTimeoutMs: 5_000, dataStream: NAME, dryRun });
}

function changesAsked(): string[] {
  return standIn.asked
    .filter(({ method }) => method === 'PUT')
    .map(({ method, path }) => `${method} ${path}`);
}

function answers({ exists = false, retention = '' }): (asked: Asked) => Answer {
  const backing = `.ds-${NAME}-2026.11.22-000001`;
  const found: Record<string, unknown> = {
    [`/_index_template/${NAME}`]: TEMPLATE,
    [`/_resolve/index/${NAME}`]: { indices: [], aliases: [], data_streams: [{ name: NAME }] },
    [`/_data_stream/${NAME}`]: { data_streams: [{ name: NAME }] },
    [`/${NAME}/_mapping`]: { [backing]: { mappings: template.mappings } },
    [`/${NAME}/_settings`]: { [backing]: { settings: template.settings } },
    [`/_data_stream/${NAME}/_lifecycle`]: {
      data_streams: [{ name: NAME, lifecycle: { enabled: true, data_retention: retention } }],
    },
  };
  return ({ method, path }) => {
    if (method === 'PUT') return { status: 200, body: { acknowledged: true } };
    return exists && path in found ? { status: 200, body: found[path] } : MISSING;
  };
}
