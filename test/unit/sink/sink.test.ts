import { describe, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import type { HotItemEvent } from '../../../event/event.ts';
import { createMetrics } from '../../../service/metrics.ts';
import { createOutage } from '../../../service/outage.ts';
import { createLetterContents } from '../../../sink/letter.ts';
import { SINK_METRICS } from '../../../sink/metrics.ts';
import { createReadRecord } from '../../../sink/read-record.ts';
import { startSink } from '../../../sink/sink.ts';
import type { DeadLetter } from '../../../store/dead-letters/dead-letters.ts';
import { IndexUnavailable, type Outcome } from '../../../store/event-index.ts';
import type { Context, Handler } from '../../../store/event-log.ts';
import type { Undecodable } from '../../../store/undecodable.ts';
import { createLongWork } from '../../parts/long-work.ts';

// The real Elasticsearch is not easily made to answer so; what it does answer is tested beside store/elasticsearch/elasticsearch.ts.
describe('the sink, with an index that does not accept everything at once', () => {
  test('retries only events that were rejected temporarily, and counts each event once', async () => {
    const { deliver, asked, books } = await create((events, call) =>
      events.map((_, i) => (call === 0 && i % 2 === 0 ? RETRY : CREATED)),
    );
    await deliver([event(0), event(1), event(2), event(3)]);
    expect(asked).toEqual([
      ['id0', 'id1', 'id2', 'id3'],
      ['id0', 'id2'],
    ]);
    expect(books()).toEqual({ consumed: 4, indexed: 4, existing: 0, dead: 0 });
  });

  test('waits for an unavailable index, and says that nothing is lost', async () => {
    const { deliver, books, warnings } = await create((events, call) => {
      if (call < 2) throw new IndexUnavailable('connection refused');
      return events.map(() => CREATED);
    });
    await deliver([event(0)]);
    expect(books()).toEqual({ consumed: 1, indexed: 1, existing: 0, dead: 0 });
    expect(warnings).toContain('index away');
  });

  test('loses nothing if the index rejects whole requests', async () => {
    const { deliver, asked, books } = await create((events) => events.map(() => CREATED), { closed: 2 });
    await deliver([event(0), Buffer.from('not json'), event(2)]);
    expect(asked).toEqual([['id0', 'id2']]);
    expect(books()).toEqual({ consumed: 3, indexed: 2, existing: 0, dead: 1 });
  });

  test('counts a record that is not an event once, however often the others are retried', async () => {
    const { deliver, dead, books } = await create((events, call) =>
      events.map(() => (call < 2 ? RETRY : CREATED)),
    );
    await deliver([event(0), Buffer.from('not json'), event(2)]);
    expect(dead).toHaveLength(1);
    expect(books()).toEqual({ consumed: 3, indexed: 2, existing: 0, dead: 1 });
  });

  test('keeps permanently rejected events as dead letters, with reason and origin', async () => {
    const { deliver, dead, books } = await create((events) =>
      events.map(({ id }) =>
        id === 'id1' ? { status: 'rejected', reason: 'mapper_parsing_exception' } : EXISTS,
      ),
    );
    await deliver([event(0), event(1), Buffer.from('not json'), Buffer.alloc(0)]);
    expect(dead.map(({ reason, origin }) => [origin, reason])).toEqual([
      ['topic/3/2', 'event: is not JSON (got "not json")'],
      ['topic/3/3', 'event: has no value (got nothing)'],
      ['topic/3/1', 'mapper_parsing_exception'],
    ]);
    expect(books()).toEqual({ consumed: 4, indexed: 0, existing: 1, dead: 3 });
  });

  test.each<[string, (i: number) => Buffer, () => Outcome]>([
    ['are no events', () => Buffer.from('x'), () => CREATED],
    ['the index rejects', event, () => ({ status: 'rejected', reason: 'too deep' })],
  ])('yields while it makes dead letters of many records that %s', async (_, record, outcome) => {
    const work = createLongWork();
    const { deliver, dead } = await create((events) => events.map(outcome));
    const position = (at: number) => {
      work.piece();
      return String(at);
    };
    await deliver(
      Array.from({ length: 6 }, (_, i) => record(i)),
      { position },
    );
    expect(dead).toHaveLength(6);
    expect(work.turns()).toBeGreaterThanOrEqual(2);
  });

  test('counts accepted and dropped events, with who decided', async () => {
    const { deliver, dead, books, dropped } = await create((events) =>
      events.map(({ id }) => (id === 'id1' ? { status: 'dropped', reason: 'pipeline' } : CREATED)),
    );
    await deliver([event(0), event(1), event(2)]);
    expect(books()).toEqual({ consumed: 3, indexed: 2, existing: 0, dead: 0 });
    expect(dropped('pipeline')).toBe(1);
    expect(dead).toEqual([]);
  });

  test.each<[string, (call: number) => Outcome[]]>([
    ['about each event', () => [REFUSED, REFUSED]],
    [
      'about all of them',
      () => {
        throw new IndexUnavailable('a strict mapping', { why: 'refused' });
      },
    ],
  ])('reports an index that rejects everything, %s, until it accepts something', async (_, refuse) => {
    const { deliver, states } = await create((events, call) =>
      call < 2 ? refuse(call) : events.map(() => CREATED),
    );
    await deliver([event(0), event(1)]);
    expect(states).toEqual([
      { reason: 'a strict mapping', up: 0 },
      { reason: 'a strict mapping', up: 0 },
      { reason: undefined, up: 1 },
    ]);
  });

  test('sends smaller requests to an overloaded index, and larger ones again later', async () => {
    const { deliver, asked } = await create(
      (events, call) => events.map(() => (call === 0 ? RETRY : CREATED)),
      { batchEvents: 200 },
    );
    await deliver(Array.from({ length: 400 }, (_, i) => event(i)));
    expect(asked.map((ids) => ids.length)).toEqual([200, 100, 100, 200]);
  });

  test('acknowledges and counts nothing if it is stopped while the index is unavailable', async () => {
    const stopping = new AbortController();
    const { deliver, books } = await create(() => {
      stopping.abort();
      throw new IndexUnavailable('connection refused');
    });
    await expect(deliver([event(0)], { signal: stopping.signal })).rejects.toThrow('aborted');
    expect(books()).toEqual({ consumed: 0, indexed: 0, existing: 0, dead: 0 });
  });

  test('makes all records of an undecodable batch dead letters', async () => {
    const { deliver, asked, dead, books, warnings } = await create((events) => events.map(() => CREATED));
    await deliver([CUT.bytes], { undecodable: CUT });
    expect(dead).toEqual([
      {
        value: Buffer.alloc(0),
        reason:
          'a batch of 20 records cannot be decoded: its checksum is wrong; its bytes are in /q/topic-3-10.batch',
        origin: 'topic/3/10-29',
      },
    ]);
    expect(asked).toEqual([]);
    expect(books()).toEqual({ consumed: 20, indexed: 0, existing: 0, dead: 20 });
    expect(warnings).toEqual(['undecodable topic/3']);
  });
});

describe('a sink that is stalled', () => {
  test('reports where and why while dead letters cannot be stored, and not after it continues', async () => {
    const during: (string | undefined)[] = [];
    const full = ['disk is full', 'disk is full'];
    const sink = await create(() => [], { full, warned: () => during.push(sink.failure()) });
    await sink.deliver([Buffer.from('not json')]);
    const why = 'it is stalled in topic/3 at 0: dead letters cannot be stored: disk is full';
    expect(during).toEqual([why, why]);
    expect(sink.failure()).toBeUndefined();
  });

  test('is reported if a batch fails repeatedly, not for one failure', async () => {
    const sink = await create(() => {
      throw new TypeError('a fault of ours');
    });
    for (let i = 0; i < 5; i++) {
      expect(sink.failure()).toBeUndefined();
      await expect(sink.deliver([event(0)])).rejects.toThrow('a fault of ours');
    }
    expect(sink.failure()).toBe('it is stalled in topic/3 at 0: it fails again and again: a fault of ours');
  });
});

const CUT = { first: 10n, last: 29n, reason: 'its checksum is wrong', bytes: Buffer.from('x') };
const CREATED: Outcome = { status: 'created' };
const EXISTS: Outcome = { status: 'exists' };
const REFUSED: Outcome = { status: 'retry', why: 'refused', reason: 'a strict mapping' };
const RETRY: Outcome = { status: 'retry', reason: 'es_rejected_execution_exception' };

function event(i: number): Buffer {
  return Buffer.from(
    JSON.stringify({ v: 1, id: `id${i}`, time: 1, uri: '/item/1', item: '1', ip: '203.0.113.7' }),
  );
}

type Options = {
  batchEvents?: number;
  /** How often the index refuses before it looks at the events. */
  closed?: number;
  /** Why dead letters are not kept, once each; the last one first. */
  full?: string[];
  warned?: () => void;
};

type Delivery = { signal?: AbortSignal; undecodable?: Undecodable; position?: (at: number) => string };

async function create(
  answer: (events: HotItemEvent[], call: number) => Outcome[],
  { batchEvents = 1000, closed = 0, full = [], warned = () => {} }: Options = {},
) {
  let refusals = closed;
  const metrics = createMetrics(new Registry(), SINK_METRICS);
  const asked: string[][] = [];
  const dead: DeadLetter[] = [];
  const warnings: string[] = [];
  const states: { reason: string | undefined; up: number }[] = [];
  let handler: Handler | undefined;
  const consumer = await startSink({
    log: {
      append: async () => {},
      async consume(_, handle) {
        handler = handle;
        return { failure: () => undefined, close: async () => {} };
      },
    },
    cursor: 'test',
    index: {
      async create(events) {
        if (refusals-- > 0) throw new IndexUnavailable('the index is closed');
        const all = [...events].filter((one) => one !== undefined);
        asked.push(all.map(({ id }) => id));
        return answer(all, asked.length - 1);
      },
    },
    deadLetters: {
      async add(letters) {
        if (full.length > 0) throw new Error(full.pop());
        dead.push(...letters);
      },
    },
    outage: createOutage(() => 0),
    quarantine: { keep: async (name) => `/q/${name}` },
    batchEvents,
    requests: 1,
    read: createReadRecord({ articleTimeZone: 'UTC', redact: (event) => event }),
    contents: createLetterContents<HotItemEvent>({ keepsAll: true, redact: (event) => event }),
    say: () => {},
    metrics,
    warn(key) {
      warnings.push(key);
      warned();
    },
    onRefusal: (reason) => void states.push({ reason, up: metrics.of('sink_index_up').value() }),
  });
  return {
    asked,
    dead,
    warnings,
    states,
    dropped: (reason: string) => metrics.of('sink_dropped_total', { reason }).value(),
    books: () => ({
      consumed: metrics.of('sink_consumed_total').value(),
      indexed: metrics.of('sink_indexed_total').value(),
      existing: metrics.of('sink_existing_total').value(),
      dead: ['invalid', 'rejected', 'undecodable'].reduce(
        (sum, reason) => sum + metrics.of('sink_dead_total', { reason }).value(),
        0,
      ),
    }),
    failure: consumer.failure,
    deliver(
      values: Buffer[],
      { signal = new AbortController().signal, undecodable, position = String }: Delivery = {},
    ) {
      const context: Context = { signal, stopping: signal, heartbeat: async () => {} };
      const batch = { source: 'topic/3', values, position, ...(undecodable && { undecodable }) };
      return handler?.(batch, context);
    },
  };
}
