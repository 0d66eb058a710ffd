import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createElasticsearchIndex } from '../../store/elasticsearch/elasticsearch.ts';
import type { EventIndex } from '../../store/event-index.ts';
import { type ElasticsearchPart, startElasticsearch } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { suiteWith } from '../parts/suite.ts';
import { view } from './index-contract.ts';
import { setUpIndexes } from './set-up.ts';

jest.setTimeout(300_000);

const suite = FULL ? suiteWith(['elasticsearch'], { stops: true }) : describe.skip;

/** A setting of the whole cluster, which is why this one is not shared. */
suite('Elasticsearch without `search.allow_expensive_queries`', () => {
  let elasticsearch: ElasticsearchPart;
  let index: EventIndex;

  beforeAll(async () => {
    elasticsearch = await startElasticsearch({ settings: {} });
    await setUpIndexes({ ELASTICSEARCH_NODE: elasticsearch.node });
    index = createElasticsearchIndex({
      node: elasticsearch.node,
      requestTimeoutMs: 30_000,
      dataStream: 'hot_item',
    });
  });
  afterAll(async () => {
    await index?.close();
    await elasticsearch?.close();
  });

  test('ranks many items of a month as with it, although it does not compare names', async () => {
    const time = Date.UTC(2026, 0, 7);
    await index.create(Array.from({ length: 300 }, (_, i) => view({ item: `item ${i}`, time: time + i })));
    await ask('POST', 'hot_item/_refresh');
    const rank = () => index.topItems({ from: 0, to: 2 ** 42, limit: 1_000 });
    const found = await rank();
    expect(found).toHaveLength(300);
    expect(await rank()).toEqual(found);

    await ask('PUT', '_cluster/settings', { persistent: { 'search.allow_expensive_queries': false } });

    const query = { range: { 'hot_item.id': { gte: 'item' } } };
    expect(await ask('POST', 'hot_item/_search', { query })).toContain('search.allow_expensive_queries');
    for (let i = 0; i < 3; i++) expect(await rank()).toEqual(found);
    await expect(index.topItems({ from: 0, to: 2 ** 42, limit: 10, search: 'item' })).rejects.toMatchObject({
      name: 'IndexUnavailable',
      why: 'refused',
      message: expect.stringContaining('search.allow_expensive_queries'),
    });
  });

  async function ask(method: string, path: string, body?: object): Promise<string> {
    const response = await fetch(`${elasticsearch.node}/${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return response.text();
  }
});
