import { afterEach, describe, expect, test } from '@jest/globals';
import type { Change } from '../../../../service/change.ts';
import { type SetupOptions, setupElasticsearch } from '../../../../store/elasticsearch/setup.ts';
import { type Answer, type StandIn, startStandIn } from './stand-in.ts';
import { NAME, withStreams } from './with-streams.ts';

let standIn: StandIn;
afterEach(() => standIn.close());

test('the data stream is created at once if possible', async () => {
  standIn = await startStandIn(withStreams({}));

  expect(await setup()).toEqual([
    { what: 'index template hot_item', action: 'create' },
    { what: 'data stream hot_item', action: 'create' },
  ]);
  expect(changesAsked()).toEqual(['PUT /_index_template/hot_item', 'PUT /_data_stream/hot_item']);
});

test('a dry run only reads', async () => {
  standIn = await startStandIn(withStreams({}));

  const changes = await setup({ dryRun: true });

  expect(changes).toContainEqual({ what: 'data stream hot_item', action: 'create' });
  expect(changesAsked()).toEqual([]);
});

describe('the retention of an existing data stream', () => {
  const change = (from: string, to: string) => ({
    what: 'lifecycle of hot_item',
    settings: [{ name: 'data_retention', from, to }],
  });
  const lifecycleOf = (changes: Change[]) => changes.find(({ what }) => what === 'lifecycle of hot_item');

  test('is not changed without a setting', async () => {
    standIn = await startStandIn(withStreams({ exists: true, lifecycle: { data_retention: '90d' } }));

    const changes = await setup();

    expect(new Set(changes.map(({ action }) => action))).toEqual(new Set(['unchanged']));
    expect(changesAsked()).toEqual([]);
  });

  test('is extended if requested, and nothing else of the lifecycle is changed', async () => {
    const lifecycle = {
      enabled: true,
      data_retention: '90d',
      downsampling: [{ after: '1d', fixed_interval: '1h' }],
    };
    standIn = await startStandIn(withStreams({ exists: true, lifecycle }));

    const changes = await setup({ retentionDays: 100 });

    expect(lifecycleOf(changes)).toEqual({ ...change('90d', '100d'), action: 'update' });
    expect(standIn.asked.find(({ path }) => path === '/_data_stream/hot_item/_lifecycle')).toBeDefined();
    expect(JSON.parse(standIn.asked.at(-1)?.body ?? '')).toEqual({ ...lifecycle, data_retention: '100d' });
  });

  test.each([
    ['90d', { data_retention: '90d' }],
    ['721h', { data_retention: '721h' }],
    ['not set', {}],
    ['not set', undefined],
  ])('of %s is not shortened unless allowed', async (from, lifecycle) => {
    standIn = await startStandIn(withStreams({ exists: true, lifecycle }));
    const loses = 'documents older than 30 days';

    expect(lifecycleOf(await setup({ retentionDays: 30, dryRun: true }))).toEqual({
      ...change(from, '30d'),
      action: 'update',
      loses,
    });
    expect(lifecycleOf(await setup({ retentionDays: 30 }))).toEqual({
      ...change(from, '30d'),
      action: 'kept',
      loses,
    });
    expect(changesAsked()).not.toContain('PUT /_data_stream/hot_item/_lifecycle');

    expect(lifecycleOf(await setup({ retentionDays: 30, mayLose: true }))).toEqual({
      ...change(from, '30d'),
      action: 'update',
      loses,
    });
    expect(changesAsked()).toContain('PUT /_data_stream/hot_item/_lifecycle');
  });
});

test('nothing is changed if everything is as configured', async () => {
  standIn = await startStandIn(withStreams({ exists: true, lifecycle: { data_retention: '30d' } }));

  const changes = await setup({
    retentionDays: 30,
    replicas: 0,
    refreshSeconds: 1,
    shards: 1,
    priority: 500,
  });

  expect(new Set(changes.map(({ action }) => action))).toEqual(new Set(['unchanged']));
  expect(changesAsked()).toEqual([]);
});

describe('an unexpected response', () => {
  const QUESTIONS = [
    'GET /_resolve/index/hot_item',
    'GET /_index_template',
    'POST /_index_template/_simulate_index/hot_item',
    'GET /_data_stream/hot_item',
    'GET /hot_item/_mapping',
    'GET /hot_item/_settings',
    'GET /_data_stream/hot_item/_lifecycle',
  ];

  test.each(
    QUESTIONS.flatMap((question): [string, string, Answer][] => [
      [question, 'a redirection', { status: 301 }],
      [question, 'a page of a proxy', { status: 200, body: '<html>' }],
      [question, 'a page of a proxy that knows no such path', { status: 404, body: '<html>' }],
      [question, 'a list', { status: 200, body: [] }],
      [question, 'null', { status: 200, body: null }],
      [question, 'other JSON', { status: 200, body: { ok: [{}] } }],
    ]),
  )(
    'to %s, %s, means that Elasticsearch is unavailable, not an error of ours',
    async (question, _, answer) => {
      const usual = withStreams({ exists: true, lifecycle: { data_retention: '90d' } });
      standIn = await startStandIn((asked) =>
        `${asked.method} ${asked.path}` === question ? answer : usual(asked),
      );

      const failure = await setup({ retentionDays: 100, replicas: 1 }).catch((error: unknown) => error);

      // Only that of the data streams may be taken for an Elasticsearch that does not have them.
      if (question === 'GET /_data_stream/hot_item' && answer.status === 200)
        expect(failure).toBeInstanceOf(Object);
      else expect(failure).toMatchObject({ name: 'IndexUnavailable' });
      expect(changesAsked()).toEqual([]);
    },
  );
});

test('a login without the permission is named', async () => {
  standIn = await startStandIn(() => ({ status: 403 }));

  await expect(setup()).rejects.toMatchObject({
    name: 'IndexUnavailable',
    message: 'Elasticsearch does not permit this (403)',
  });
});

function setup(options: Partial<SetupOptions> = {}): Promise<Change[]> {
  return setupElasticsearch({
    node: standIn.node,
    requestTimeoutMs: 5_000,
    dataStream: NAME,
    dryRun: false,
    ...options,
  });
}

function changesAsked(): string[] {
  return standIn.asked
    .filter(({ method }) => method === 'PUT')
    .map(({ method, path }) => `${method} ${path}`);
}
