import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createElasticsearchIndex } from '../../store/elasticsearch/elasticsearch.ts';
import { setupElasticsearch } from '../../store/elasticsearch/setup.ts';
import { type EventIndex, IndexUnavailable } from '../../store/event-index.ts';
import { type ElasticsearchPart, startElasticsearch } from '../parts/elasticsearch.ts';
import { suiteWith } from '../parts/suite.ts';
import { view } from './index-contract.ts';

jest.setTimeout(180_000);
/** An orderly stop and a start take ten seconds; the test of the index has one of each. */
const ENDS = process.env.HOTITEM_TEST_FULL === '1' ? (['stop', 'kill'] as const) : (['kill'] as const);

suiteWith(['elasticsearch'], { stops: true })('an Elasticsearch that goes away and comes back', () => {
  let elasticsearch: ElasticsearchPart;
  const opened: EventIndex[] = [];
  beforeAll(async () => {
    elasticsearch = await startElasticsearch();
  });
  afterAll(async () => {
    await Promise.all(opened.map((index) => index.close()));
    await elasticsearch?.close();
  });

  test.each(ENDS)('keeps its documents over a %s', async (end) => {
    const document = `${elasticsearch.node}/kept-over-${end}/_doc/1`;
    const created = await fetch(document, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: '{"item":"4711"}',
    });
    expect(created.status).toBe(201);

    await elasticsearch[end]();
    await elasticsearch.start();

    expect(await (await fetch(document)).json()).toMatchObject({ _source: { item: '4711' } });
  });

  test('is unavailable as an index meanwhile, and takes everything afterwards', async () => {
    const index = await open('hot_item-away');
    const events = [view(), view()];
    await index.create(events.slice(0, 1));

    await elasticsearch.stop();
    const away = await index.create(events).catch((error: unknown) => error);
    expect(away).toBeInstanceOf(IndexUnavailable);
    expect(away).toMatchObject({ message: 'Elasticsearch does not answer', cause: expect.any(Error) });
    await expect(index.topItems({ from: 0, to: 1, limit: 1 })).rejects.toThrow(IndexUnavailable);

    await elasticsearch.start();
    expect(await index.create(events)).toEqual([{ status: 'exists' }, { status: 'created' }]);
  });

  test('is unavailable once the time is up when it hangs', async () => {
    const index = await open('hot_item-hangs', 300);

    await elasticsearch.pause();
    const hung = index.create([view()]).catch((error: unknown) => error);
    await expect(hung).resolves.toMatchObject({
      name: 'IndexUnavailable',
      message: 'Elasticsearch does not answer in time',
    });
    await elasticsearch.resume();
  });

  async function open(dataStream: string, requestTimeoutMs = 30_000): Promise<EventIndex> {
    const { node } = elasticsearch;
    await setupElasticsearch({ node, requestTimeoutMs: 30_000, dryRun: false, dataStream });
    const index = createElasticsearchIndex({ node, requestTimeoutMs, dataStream });
    opened.push(index);
    return index;
  }
});
