import { inspect } from 'node:util';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { HotItemEvent } from '../../../../event/event.ts';
import { createElasticsearchIndex } from '../../../../store/elasticsearch/elasticsearch.ts';
import type { EventIndex } from '../../../../store/event-index.ts';
import { type Answer, type Asked, type StandIn, startStandIn } from './stand-in.ts';

const OVERLOADED = { status: 'retry', why: 'overloaded' };
const REFUSED = { status: 'retry', why: 'refused' };
const REJECTED = { status: 'rejected' };
const SECRET = 'c2VjcmV0OmtleQ==';

const MB = 1024 * 1024;
const LARGE =
  'what answers there is not Elasticsearch: the response is larger than 8 MiB, or has too many values';
const NOT_JSON = 'what answers there is not Elasticsearch: it sends no JSON';
const PIT = Buffer.from('['.repeat(50_000) + ']'.repeat(50_000));
const TAKEN = JSON.stringify({ items: [{ create: { status: 201 } }, { create: { status: 201 } }] });

let standIn: StandIn;
let index: EventIndex;
afterEach(async () => {
  await index.close();
  await standIn.close();
});

test.each([
  [
    401,
    'Elasticsearch rejects the login (401), see elasticsearch.api_key, or username and password',
    'refused',
  ],
  [403, 'Elasticsearch does not permit this (403)', 'refused'],
  [429, 'Elasticsearch is overloaded (429)', 'overloaded'],
  [400, 'Elasticsearch answers with an error (400)', 'refused'],
  [500, 'Elasticsearch answers with an error (500)', 'away'],
  [502, 'Elasticsearch answers with an error (502)', 'away'],
  [503, 'Elasticsearch answers with an error (503)', 'away'],
  [504, 'Elasticsearch answers with an error (504)', 'away'],
])(
  'a request that fails with %d says nothing about the events, and is not repeated',
  async (status, message, why) => {
    await open(() => ({ status }));

    await expect(index.create(events(2))).rejects.toMatchObject({ name: 'IndexUnavailable', message, why });
    expect(standIn.asked).toHaveLength(1);
  },
);

test.each<[string, Answer, string]>([
  ['packed, which unpacks to 20 MB', packed(blanks(20 * MB)), LARGE],
  ['packed, which unpacks to more than it says', understated(blanks(20 * MB)), LARGE],
  [
    'deflated, which unpacks to 20 MB',
    { status: 200, body: deflateSync(blanks(20 * MB)), encoding: 'deflate' },
    LARGE,
  ],
  ['not packed, of 9 MB', { status: 200, body: blanks(9 * MB) }, LARGE],
  ['of 2 MB with 600,000 objects', { status: 200, body: Buffer.from(`[${'{},'.repeat(600_000)}{}]`) }, LARGE],
  ['an error of 20 MB', { ...packed(blanks(20 * MB)), status: 400 }, LARGE],
  ['an error that is nested without end', { status: 400, body: PIT }, NOT_JSON],
  ['nested without end', { status: 200, body: PIT }, 'Elasticsearch answered for 0 of 2 events'],
  [
    'packed and damaged',
    { ...packed(blanks(9)), body: Buffer.from('1f8b08000000000000ff00000000', 'hex') },
    NOT_JSON,
  ],
])('a response that is %s takes no memory, and is retried', async (_, answer, message) => {
  await open(() => answer);

  await expect(index.create(events(2))).rejects.toMatchObject({ name: 'IndexUnavailable', message });
});

test.each<[string, Answer]>([
  ['gzip', { status: 200, body: gzipSync(TAKEN), encoding: 'gzip' }],
  ['deflate', { status: 200, body: deflateSync(TAKEN), encoding: 'deflate' }],
])('a response that is compressed without being requested, with %s, is read', async (_, answer) => {
  await open(() => answer);

  expect(await index.create(events(2))).toEqual([{ status: 'created' }, { status: 'created' }]);
});

test('a request whose response is too large is split in halves', async () => {
  const error = { type: 'document_parsing_exception', reason: 'x'.repeat(20_000) };
  await open(({ body }) => ({
    status: 200,
    body: {
      items: body
        .split('{"create":')
        .slice(1)
        .map((_, i) => ({ create: i === 0 ? { status: 201 } : { status: 400, error } })),
    },
  }));

  const outcomes = await index.create(events(600));
  expect(outcomes).toHaveLength(600);
  expect(standIn.asked).toHaveLength(3);
});

test('a reason that is not text is ignored', async () => {
  await open(() => ({
    status: 200,
    body: Buffer.from(
      `{"items":[{"create":{"status":400,"error":{"type":"mapper_parsing_exception","reason":${PIT}}}}]}`,
    ),
  }));

  expect(await index.create(events(1))).toEqual([
    { status: 'rejected', reason: 'mapper_parsing_exception: ' },
  ]);
});

test.each<[string, Answer, string]>([
  [
    'a redirection',
    { status: 302 },
    'something in front of Elasticsearch answers in its place (302), see elasticsearch.node',
  ],
  ['a page', { status: 200, body: '<html>' }, 'what answers there is not Elasticsearch: it sends no JSON'],
  ['nothing', { status: 200, body: {} }, 'Elasticsearch answered for 0 of 2 events'],
  [
    'a text of the right length',
    { status: 200, body: { items: 'ab' } },
    'Elasticsearch answered for 0 of 2 events',
  ],
])('a response that is %s says nothing about the events', async (_, answer, message) => {
  await open(() => answer);

  await expect(index.create(events(2))).rejects.toMatchObject({ name: 'IndexUnavailable', message });
});

test.each([
  ['no word', {}],
  ['another operation', { index: { status: 201 } }],
  ['no status', { create: {} }],
  ['null', null],
])('a document for which the response has %s is retried', async (_, item) => {
  await open(() => ({ status: 200, body: { errors: false, items: [{ create: { status: 201 } }, item] } }));

  expect(await index.create(events(2))).toMatchObject([{ status: 'created' }, { status: 'retry' }]);
});

test('a document that an ingest pipeline drops does not count as created', async () => {
  const dropped = { create: { _index: 'hot_item', _id: 'a', _version: -3, result: 'noop', status: 200 } };
  await open(() => ({ status: 200, body: { errors: false, items: [{ create: { status: 201 } }, dropped] } }));

  expect(await index.create(events(2))).toEqual([
    { status: 'created' },
    { status: 'dropped', reason: 'pipeline' },
  ]);
});

describe('an index that accepts no event', () => {
  const refusal = { create: { status: 400, error: { type: 'illegal_argument_exception', reason: 'so' } } };
  const taken = { create: { status: 201 } };
  const standing = { ...REFUSED, reason: 'it accepts no event at all: illegal_argument_exception: so' };

  test('is retried from the first request on, until it accepts everything', async () => {
    let item: object = refusal;
    await open(({ body }) => ({ status: 200, body: { items: operations(body).map(() => item) } }));

    expect(await index.create(events(50))).toEqual(Array(50).fill(standing));
    expect(await index.create(events(1))).toEqual([standing]);
    item = taken;
    expect(await index.create(events(50))).toEqual(Array(50).fill({ status: 'created' }));
    item = refusal;
    expect(await index.create(events(1))).toMatchObject([REJECTED]);
  });

  test('is noticed also after a few single events', async () => {
    await open(() => ({ status: 200, body: { items: [refusal] } }));
    const outcomes = [];
    for (let i = 0; i < 12; i++) outcomes.push(...(await index.create(events(1))));

    expect(outcomes.map(({ status }) => status)).toEqual([
      ...Array(9).fill('rejected'),
      ...Array(3).fill('retry'),
    ]);
  });

  test('is distinguished from one that rejects many of them', async () => {
    await open(({ body }) => ({
      status: 200,
      body: { items: operations(body).map((_, i) => (i === 0 ? taken : refusal)) },
    }));

    expect((await index.create(events(50))).map(({ status }) => status)).toEqual([
      'created',
      ...Array(49).fill('rejected'),
    ]);
  });

  test('behind a proxy that rejects everything is asked a few times, not once per event', async () => {
    await open(limitedTo(10));

    const outcomes = await index.create(events(1_000));

    const count = (status: string) => outcomes.filter((outcome) => outcome.status === status).length;
    expect({ rejected: count('rejected'), retry: count('retry') }).toEqual({ rejected: 9, retry: 991 });
    expect(standIn.asked.length).toBeLessThan(100);
  });

  test.each([
    'strict_dynamic_mapping_exception: [1:44] mapping set to strict, dynamic introduction of [url] within [_doc] is not allowed',
    'document_parsing_exception: [1:52] failed to parse: Limit of total fields [2] has been exceeded while adding new fields [3]',
    'document_parsing_exception: [1:44] object mapping for [url] tried to parse field [url] as object, but found a concrete value',
  ])('because of its mapping is recognised at the first event: %s', async (error) => {
    const [type, ...reason] = error.split(': ');
    const item = { create: { status: 400, error: { type, reason: reason.join(': ') } } };
    await open(() => ({ status: 200, body: { items: [item] } }));

    expect(await index.create(events(1))).toEqual([
      { ...REFUSED, reason: expect.stringContaining('`hotitem setup` says which template applies') },
    ]);
  });
});

test('another server is not mistaken for Elasticsearch', async () => {
  await open(() => ({ status: 200, product: 'nginx' }));

  await expect(index.create(events(1))).rejects.toThrow('what answers there is not Elasticsearch');
});

test('a response about fewer events than were sent is not trusted', async () => {
  await open(() => ({ status: 200, body: { errors: false, items: [{ create: { status: 201 } }] } }));

  await expect(index.create(events(2))).rejects.toThrow('Elasticsearch answered for 1 of 2 events');
});

test.each([
  [429, 'es_rejected_execution_exception', OVERLOADED],
  [429, 'circuit_breaking_exception', OVERLOADED],
  [503, 'unavailable_shards_exception', OVERLOADED],
  [500, 'engine_exception', OVERLOADED],
  [403, 'cluster_block_exception', REFUSED],
  [403, 'security_exception', REFUSED],
  [400, 'index_closed_exception', REFUSED],
  [400, 'validation_exception', REFUSED],
  [400, 'document_parsing_exception', REJECTED],
  [400, 'illegal_argument_exception', REJECTED],
])('a document rejected with %d %s is: %j', async (status, type, outcome) => {
  const refusal = { create: { status, error: { type, reason: 'because' } } };
  await open(() => ({ status: 200, body: { errors: true, items: [refusal] } }));

  expect(await index.create(events(1))).toEqual([{ ...outcome, reason: `${type}: because` }]);
});

test('a long reason is truncated', async () => {
  const error = { type: 'document_parsing_exception', reason: 'x'.repeat(10_000) };
  await open(() => ({ status: 200, body: { errors: true, items: [{ create: { status: 400, error } }] } }));

  const [outcome] = await index.create(events(1));

  expect(outcome).toMatchObject({ reason: expect.stringMatching(/^document_parsing_exception: x+…$/) });
  expect(JSON.stringify(outcome).length).toBeLessThan(400);
});

test('a request that is too large is sent in halves, and an event that is too large alone is rejected', async () => {
  await open(limitedTo(2_000));
  const some = [...events(3), event('x'.repeat(3_000)), ...events(3)];

  expect(await index.create(some)).toEqual(
    some.map((_, i) =>
      i === 3
        ? { status: 'rejected', reason: 'too large for Elasticsearch, or for a proxy in front of it (413)' }
        : { status: 'created' },
    ),
  );
});

test('a size limit that was met once is remembered', async () => {
  await open(limitedTo(600_000));
  await index.create(events(300, 4_000));
  const before = standIn.asked.length;

  await index.create(events(300, 4_000));

  const sizes = standIn.asked.slice(before).map(({ body }) => body.length);
  expect(Math.max(...sizes)).toBeLessThan(600_000);
});

test('the result of one half is kept if the other half failed', async () => {
  const refuseLarge = limitedTo(2_000);
  await open((asked) => (standIn.asked.length > 2 ? { status: 503 } : refuseLarge(asked)));

  const outcomes = await index.create(events(8));

  expect(outcomes.slice(0, 4)).toEqual(Array(4).fill({ status: 'created' }));
  expect(outcomes.slice(4)).toEqual(
    Array(4).fill({ status: 'retry', why: 'away', reason: 'Elasticsearch answers with an error (503)' }),
  );
});

test.each<[string, () => Answer | undefined]>([
  ['no answer', () => undefined],
  ['an error', () => ({ status: 503 })],
  ['a redirection', () => ({ status: 302 })],
  ['more than is read', () => packed(blanks(20 * MB))],
])(
  '%s is an error without secrets and without a copy of the request, which may be megabytes',
  async (_, answer) => {
    await open(answer);
    const error = await index.create(events(2)).catch((refused: unknown) => refused);
    expect(error).toMatchObject({
      cause: { meta: { meta: { request: { params: { body: expect.any(Buffer) } } } } },
    });
    expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(SECRET);
  },
);

test('an error contains no secret, however deeply it is inspected', async () => {
  await open(() => ({ status: 401 }));

  const error = await index.create(events(1)).catch((thrown: unknown) => thrown);

  expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(SECRET);
});

// The Elasticsearch of the tests has no failure store. elastic/elasticsearch 112816: 201, and `failure_store: used`.
describe('what a failure store took', () => {
  const told = (failure_store?: string) => (asked: Asked) => ({
    status: 200,
    body: {
      items: asked.body
        .split('{"create":')
        .slice(1)
        .map(() => ({ create: { status: 201, ...(failure_store && { failure_store }) } })),
    },
  });

  test('is not in the index', async () => {
    await open(told('used'));
    const [first, second] = await index.create(events(2));
    expect(first).toEqual({ ...REJECTED, reason: expect.stringContaining('the failure store of hot_item') });
    expect(second).toEqual(first);
    expect(standIn.asked[0]?.path).toContain('items.*.failure_store');
  });

  test('is everything: then it waits, and one event at a time is tried again', async () => {
    let answer = told('used');
    await open((asked) => answer(asked));
    const sizes = () => standIn.asked.map(({ body }) => body.split('{"create":').length - 1);
    const failed = {
      ...REFUSED,
      reason: expect.stringContaining('it accepts no event at all: Elasticsearch put'),
    };

    expect(await index.create(events(20))).toEqual(Array.from({ length: 20 }, () => failed));
    expect(await index.create(events(20))).toEqual(Array.from({ length: 20 }, () => failed));
    expect(sizes()).toEqual([20, 1]);
    answer = told();
    expect(await index.create(events(20))).toEqual(Array.from({ length: 20 }, () => ({ status: 'created' })));
    expect(await index.create(events(20))).toHaveLength(20);
    expect(sizes()).toEqual([20, 1, 1, 19, 20]);
  });
});

async function open(answer: (asked: Asked) => Answer | undefined): Promise<void> {
  standIn = await startStandIn(answer);
  const { node } = standIn;
  const auth = { apiKey: SECRET };
  index = createElasticsearchIndex({ node, auth, requestTimeoutMs: 5_000, dataStream: 'hot_item' });
}

/** A proxy with a limit before an Elasticsearch that takes everything. */
function limitedTo(bytes: number): (asked: Asked) => Answer {
  return ({ body }) => {
    if (body.length > bytes) return { status: 413 };
    const items = operations(body).map(() => ({ create: { status: 201 } }));
    return { status: 200, body: { errors: false, items } };
  };
}

function operations(body: string): string[] {
  return body.match(/^\{"create":/gm) ?? [];
}

function events(count: number, size = 10): HotItemEvent[] {
  return Array.from({ length: count }, () => event('x'.repeat(size)));
}

function event(ua: string): HotItemEvent {
  const id = '01a2038a1aa34b6e0c700ca5c40ed364';
  return { v: 1, id, time: 1_795_355_712_163, uri: '/web/item/1.html', item: '1', ip: '203.0.113.7', ua };
}

/** JSON of this many bytes: an empty object with spaces in it. */
function blanks(bytes: number): Buffer {
  return Buffer.concat([Buffer.from('{'), Buffer.alloc(bytes, ' '), Buffer.from('}')]);
}

function packed(json: Buffer): Answer {
  return { status: 200, body: gzipSync(json), encoding: 'gzip' };
}

/** gzip ends with its size. */
function understated(json: Buffer): Answer {
  const body = gzipSync(json);
  body.writeUInt32LE(9, body.length - 4);
  return { status: 200, body, encoding: 'gzip' };
}
