import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { survey } from '../../bench/sink-index.ts';
import type { EcsDocument } from '../../event/to-ecs.ts';
import { createElasticsearchIndex } from '../../store/elasticsearch.ts';
import { type SetupOptions, setupElasticsearch } from '../../store/elasticsearch-setup.ts';
import { indexTemplate } from '../../store/elasticsearch-template.ts';
import { type EventIndex, IndexUnavailable } from '../../store/event-index.ts';
import { type ElasticsearchPart, startElasticsearch } from '../parts/elasticsearch.ts';
import { suiteWith } from '../parts/suite.ts';
import { itIsAnIndex, type Texts, view } from './index-contract.ts';

const START_MS = 300_000;
const RETRY = (reason: RegExp) => ({
  status: 'retry',
  why: 'refused',
  reason: expect.stringMatching(reason),
});

suiteWith(['elasticsearch'])('Elasticsearch', () => {
  let elasticsearch: ElasticsearchPart;
  const streams: string[] = [];
  const opened: EventIndex[] = [];
  beforeAll(async () => {
    elasticsearch = await startElasticsearch();
  }, START_MS);
  afterAll(async () => {
    await Promise.all(opened.map((index) => index.close()));
    for (const stream of streams) {
      await ask('DELETE', `_data_stream/${stream}`);
      await ask('DELETE', `_index_template/${stream}`);
    }
    await elasticsearch?.close();
  });

  describe('as an index', () => {
    const dataStream = newStream();
    let index: EventIndex;
    beforeAll(async () => {
      await setup({ dataStream });
      index = open(dataStream);
    });

    itIsAnIndex({
      index: () => index,
      refresh: () => refresh(dataStream),
      async stored(id) {
        await refresh(dataStream);
        const query = { query: { ids: { values: [id] } } };
        const { hits } = await ask<Found>('POST', `${dataStream}/_search`, query);
        return hits.hits.map(({ _source }) => toTexts(_source));
      },
    });
  });

  describe('refuses', () => {
    const dataStream = newStream();
    let index: EventIndex;
    beforeAll(async () => {
      await setup({ dataStream });
      index = open(dataStream);
    });

    test('an event that is no document for it, and only that one', async () => {
      const beyondTheYear9999 = view({ time: 8.64e15 });

      expect(await index.create([view(), beyondTheYear9999, view()])).toEqual([
        { status: 'created' },
        {
          status: 'rejected',
          reason: expect.stringMatching(/^document_parsing_exception: .*\[@timestamp\].{0,300}$/),
        },
        { status: 'created' },
      ]);
    });

    test('an event whose id spoils the whole request, and only that one', async () => {
      const events = [view(), view(), view({ id: 'x'.repeat(513) }), view(), view()];

      const outcomes = await index.create(events);

      expect(outcomes.map(({ status }) => status)).toEqual([
        'created',
        'created',
        'rejected',
        'created',
        'created',
      ]);
      expect(outcomes[2]).toMatchObject({
        reason: expect.stringMatching(/^Validation Failed: 1: id \[x+…$/),
      });
    });
  });

  describe('is to be asked again', () => {
    test.each([
      ['a block on writing', { 'index.blocks.write': true }, /^cluster_block_exception/],
      ['a full disk', { 'index.blocks.read_only_allow_delete': true }, /^cluster_block_exception/],
      ['an ingest pipeline that is not there', { 'index.default_pipeline': 'absent' }, /^illegal_argument/],
    ])('over %s, and takes the event once that is over', async (_, block, reason) => {
      const dataStream = newStream();
      await setup({ dataStream });
      const index = open(dataStream);
      const event = view();
      await index.create([view()]);

      await ask('PUT', `${dataStream}/_settings`, block);
      expect(await index.create([event])).toEqual([RETRY(reason)]);

      await ask('PUT', `${dataStream}/_settings`, { [Object.keys(block)[0] ?? '']: null });
      expect(await index.create([event])).toEqual([{ status: 'created' }]);
    });

    test('as long as there is no template, and creates no index of its own accord', async () => {
      const dataStream = newStream();

      const outcomes = await open(dataStream).create([view(), view()]);

      expect(outcomes).toEqual([RETRY(/run `hotitem setup`/), RETRY(/run `hotitem setup`/)]);
      expect(await ask('GET', dataStream)).toMatchObject({ status: 404 });
    });

    test('as long as an index has the name of the data stream', async () => {
      const dataStream = newStream();
      await ask('PUT', dataStream);

      expect(await open(dataStream).create([view()])).toEqual([RETRY(/is not a data stream/)]);
      await ask('DELETE', dataStream);
    });
  });

  test('has no items before there is anything', async () => {
    expect(await open(newStream()).topItems({ from: 0, to: 2 ** 42, limit: 10 })).toEqual([]);
  });

  test('that is away for a while is unavailable, and takes everything afterwards', async () => {
    if (!elasticsearch.controllable) return;
    const dataStream = newStream();
    await setup({ dataStream });
    const index = open(dataStream);
    const events = [view(), view()];
    await index.create(events.slice(0, 1));

    await elasticsearch.stop();
    const away = await index.create(events).catch((error: unknown) => error);
    expect(away).toBeInstanceOf(IndexUnavailable);
    expect(away).toMatchObject({ message: 'Elasticsearch does not answer', cause: expect.any(Error) });
    await expect(index.topItems({ from: 0, to: 1, limit: 1 })).rejects.toThrow(IndexUnavailable);

    await elasticsearch.start();
    expect(await index.create(events)).toEqual([{ status: 'exists' }, { status: 'created' }]);
  }, 60_000);

  test('that hangs is unavailable once the time is up', async () => {
    if (!elasticsearch.controllable) return;
    const dataStream = newStream();
    await setup({ dataStream });
    const index = open(dataStream, 300);

    await elasticsearch.pause();
    const hung = index.create([view()]).catch((error: unknown) => error);
    await expect(hung).resolves.toMatchObject({
      name: 'IndexUnavailable',
      message: 'Elasticsearch does not answer in time',
    });
    await elasticsearch.resume();
  });

  describe('setup', () => {
    test('makes what is missing, and finds nothing to do the second time', async () => {
      const dataStream = newStream();
      const change = (action: string) =>
        expect.objectContaining({ what: `index template ${dataStream}`, action });

      expect(await setup({ dataStream, dryRun: true })).toContainEqual(change('create'));
      expect(await setup({ dataStream })).toContainEqual(change('create'));
      await open(dataStream).create([view()]);
      const again = await setup({ dataStream });

      expect(again).toContainEqual(change('unchanged'));
      expect(new Set(again.map(({ action }) => action))).toEqual(new Set(['unchanged']));
    });

    test('changes nothing in a dry run', async () => {
      const dataStream = newStream();

      await setup({ dataStream, dryRun: true });

      expect(await ask('GET', `_index_template/${dataStream}`)).toMatchObject({ status: 404 });
    });

    test('brings other settings into the template and into what is there', async () => {
      const dataStream = newStream();
      await setup({ dataStream });
      await open(dataStream).create([view()]);

      const changes = await setup({ dataStream, retentionDays: 7, refreshSeconds: 5 });

      expect(changes).toContainEqual({ what: `index template ${dataStream}`, action: 'update' });
      expect(changes).toContainEqual({ what: `settings of ${dataStream}`, action: 'update' });
      expect(await ask('GET', `_index_template/${dataStream}`)).toMatchObject({
        index_templates: [{ index_template: { template: { lifecycle: { data_retention: '7d' } } } }],
      });
      const settings = Object.values(await ask<object>('GET', `${dataStream}/_settings`));
      expect(settings).toEqual([
        { settings: { index: expect.objectContaining({ refresh_interval: '5s' }) } },
      ]);
    });

    test('adds fields to the backing index that is written to', async () => {
      const dataStream = newStream();
      const { name, template, ...rest } = indexTemplate({ dataStream });
      const older = { mappings: { dynamic: false, properties: { '@timestamp': { type: 'date' } } } };
      await ask('PUT', `_index_template/${name}`, { ...rest, template: { ...template, ...older } });
      const index = open(dataStream);
      await index.create([view()]);

      const changes = await setup({ dataStream });

      expect(changes).toContainEqual({ what: `mapping of ${dataStream}`, action: 'update' });
      await index.create([view({ item: 'found' })]);
      await refresh(dataStream);
      expect(await index.topItems({ from: 0, to: 2 ** 42, limit: 10 })).toMatchObject([{ item: 'found' }]);
    });

    test('names the way out where the mapping of what is there cannot be changed', async () => {
      const dataStream = newStream();
      const { name, template, ...rest } = indexTemplate({ dataStream });
      const other = { mappings: { dynamic: true } };
      await ask('PUT', `_index_template/${name}`, { ...rest, template: { ...template, ...other } });
      await open(dataStream).create([view()]);

      await expect(setup({ dataStream })).rejects.toThrow(
        /cannot be changed from type .* POST \/.*\/_rollover/,
      );

      await ask('POST', `${dataStream}/_rollover`);
      expect(new Set((await setup({ dataStream })).map(({ action }) => action))).toEqual(
        new Set(['unchanged']),
      );
    });

    test.each([
      ['of a newer version', { managed_by: 'hotitem', version: 99 }, /has version 99, this hotitem knows 3/],
      ['that somebody else made', {}, /was not made by hotitem/],
    ])('leaves a template %s alone', async (_, meta, message) => {
      const dataStream = newStream();
      const template = { index_patterns: [dataStream], data_stream: {}, priority: 500, _meta: meta };
      await ask('PUT', `_index_template/${dataStream}`, template);

      await expect(setup({ dataStream })).rejects.toThrow(message);

      expect(await ask('GET', `_index_template/${dataStream}`)).toMatchObject({
        index_templates: [{ index_template: { _meta: meta } }],
      });
    });

    test('leaves an index alone that has the name', async () => {
      const dataStream = newStream();
      await ask('PUT', dataStream);

      await expect(setup({ dataStream })).rejects.toThrow(
        'is an index or an alias there and not a data stream',
      );

      expect(await ask('GET', `_index_template/${dataStream}`)).toMatchObject({ status: 404 });
      await ask('DELETE', dataStream);
    });

    test('takes no other name along', async () => {
      const dataStream = newStream();
      await setup({ dataStream });

      const outcomes = await open(`${dataStream}_archive`).create([view()]);

      expect(outcomes).toEqual([RETRY(/run `hotitem setup`/)]);
    });
  });

  test('the count of `bench sink` finds an event that is missing and one that is there twice, over many pages', async () => {
    const dataStream = newStream();
    await setup({ dataStream });
    const events = Array.from({ length: 50 }, () => view());
    const [lost, ...stored] = events;
    const [doubled] = stored;
    await open(dataStream).create(stored);
    await refresh(dataStream);
    await ask('POST', `${dataStream}/_rollover`);
    const { hits } = await ask<Found>('POST', `${dataStream}/_search`, {
      query: { ids: { values: [doubled?.id] } },
    });
    await ask('POST', `${dataStream}/_doc?op_type=create`, hits.hits[0]?._source);

    const ids = events.map(({ id }) => id);
    expect(await survey(elasticsearch.node, dataStream, ids, 7)).toEqual({ missing: 1, twice: 1 });
    const found = ids.filter((id) => id !== lost?.id);
    expect(await survey(elasticsearch.node, dataStream, found, 7)).toEqual({ missing: 0, twice: 1 });
  });

  function newStream(): string {
    const name = `hot_item-${randomBytes(5).toString('hex')}`;
    streams.push(name);
    return name;
  }

  function open(dataStream: string, requestTimeoutMs = 30_000): EventIndex {
    const index = createElasticsearchIndex({ node: elasticsearch.node, requestTimeoutMs, dataStream });
    opened.push(index);
    return index;
  }

  function setup(options: Partial<SetupOptions>): ReturnType<typeof setupElasticsearch> {
    const defaults = { node: elasticsearch.node, requestTimeoutMs: 30_000, dryRun: false };
    return setupElasticsearch({ ...defaults, dataStream: 'hot_item', ...options });
  }

  async function refresh(dataStream: string): Promise<void> {
    await ask('POST', `${dataStream}/_refresh`);
  }

  async function ask<Answer = unknown>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${elasticsearch.node}/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Answer;
  }
});

type Found = { hits: { hits: { _source: EcsDocument }[] } };

function toTexts({ url, hot_item, user_agent, http }: EcsDocument): Texts {
  const headers = { ua: user_agent?.original, ref: http?.request.referrer };
  return { uri: url.path, args: url.query, item: hot_item.id, ...headers };
}
