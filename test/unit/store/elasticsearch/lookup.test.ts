import { afterEach, describe, expect, test } from '@jest/globals';
import { createElasticsearchIndex } from '../../../../store/elasticsearch/elasticsearch.ts';
import { createElasticsearchLookup } from '../../../../store/elasticsearch/lookup.ts';
import { type Answer, type Asked, type StandIn, startStandIn } from './stand-in.ts';

// A real Elasticsearch gives none of these answers: proxies before it do, and other mappings than ours.
const GOOD = {
  took: 1,
  timed_out: false,
  _shards: { total: 1, successful: 1, skipped: 0, failed: 0 },
  hits: { total: { value: 0, relation: 'eq' }, hits: [] },
};
const NO_SHARDS = { ...GOOD, _shards: { total: 0, successful: 0, skipped: 0, failed: 0 } };
const NONE: [string, Answer][] = [
  ['a redirection', { status: 301 }],
  ['a redirection with a body', { status: 302, body: GOOD }],
  ['a page', { status: 200, body: '<html>' }],
  ['a page for a path that is not known', { status: 404, body: '<html>' }],
  ['an empty object', { status: 200, body: {} }],
  ['a list', { status: 200, body: [] }],
  ['null', { status: 200, body: null }],
  ['an answer without the part that was asked for', { status: 200, body: GOOD }],
  ['an answer with another part', { status: 200, body: { ...GOOD, aggregations: { items: {}, ids: {} } } }],
  ['an answer that came too early', { status: 200, body: { ...NO_SHARDS, timed_out: true } }],
  ['an answer without a shard', { status: 200, body: { ...NO_SHARDS, _shards: { total: 2, failed: 1 } } }],
];

let standIn: StandIn;
afterEach(() => standIn.close());

describe.each<[string, () => Promise<unknown>]>([
  ['the ranking', ranking],
  ['the count of ids', count],
])('%s', (_, ask) => {
  test.each(NONE)('is unknown from %s', async (_, answer) => {
    standIn = await startStandIn(() => answer);

    await expect(ask()).rejects.toMatchObject({ name: 'IndexUnavailable' });
  });
});

test.each([
  ['is not mapped', { unmapped: { type: 'unmapped' } }],
  ['is a text', { text: { type: 'text' } }],
  ['is not mapped in one backing index', { keyword: { type: 'keyword' }, unmapped: { type: 'unmapped' } }],
])('the count of ids is unknown if the field %s, although nothing is found', async (_, types) => {
  standIn = await startStandIn(nothingFound({ 'event.id': types }));

  await expect(count()).rejects.toMatchObject({ name: 'IndexUnavailable', why: 'refused' });
});

test('nothing is found in an empty index with our mapping', async () => {
  standIn = await startStandIn(nothingFound({ 'event.id': { keyword: { type: 'keyword' } } }));

  expect([await count(), await ranking()]).toEqual([[0, 0], []]);
});

test('nothing is found if nothing was ever indexed', async () => {
  standIn = await startStandIn(() => ({ status: 200, body: NO_SHARDS }));

  expect([await count(), await ranking()]).toEqual([[0, 0], []]);
});

test.each([
  ['a redirection', { status: 302 }],
  ['a page', { status: 200, body: '<html>' }],
])('it is unknown from %s whether all documents are searchable', async (_, answer) => {
  standIn = await startStandIn(() => answer);

  await expect(withLookup((lookup) => lookup.refresh())).rejects.toMatchObject({ name: 'IndexUnavailable' });
});

function nothingFound(fields: object): (asked: Asked) => Answer {
  const aggregations = {
    items: { sum_other_doc_count: 0, buckets: [] },
    ids: { sum_other_doc_count: 0, buckets: [] },
  };
  return ({ path }) => ({
    status: 200,
    body: path.includes('_field_caps') ? { indices: [], fields } : { ...GOOD, aggregations },
  });
}

async function ranking(): Promise<unknown> {
  const index = createElasticsearchIndex({
    node: standIn.node,
    requestTimeoutMs: 5_000,
    dataStream: 'hot_item',
  });
  try {
    return await index.topItems({ from: 0, to: 1, limit: 10 });
  } finally {
    await index.close();
  }
}

function count(): Promise<unknown> {
  return withLookup((lookup) => lookup.count(['a', 'b']));
}

async function withLookup<T>(
  ask: (lookup: ReturnType<typeof createElasticsearchLookup>) => Promise<T>,
): Promise<T> {
  const { node } = standIn;
  const lookup = createElasticsearchLookup({
    node,
    requestTimeoutMs: 5_000,
    dataStream: 'hot_item',
    refreshMs: 0,
  });
  try {
    return await ask(lookup);
  } finally {
    await lookup.close();
  }
}
