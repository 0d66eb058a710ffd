import { isIP } from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { HotItemEvent } from '../../../../event/event.ts';
import { FIELD_NAMES, type FieldName, fieldOf } from '../../../../event/fields.ts';
import { KINDS } from '../../../../event/kind.ts';
import { isPlain, parsePlain } from '../../../../event/parse-plain.ts';
import { visitorOf } from '../../../../event/visitor.ts';
import { createBody } from '../../../../store/elasticsearch/body.ts';
import { toOperation } from '../../../../store/elasticsearch/document.ts';
import { visitorNumber } from '../../../../store/elasticsearch/visitor-number.ts';
import { anyText } from '../../../parts/any-text.ts';
import { runs } from '../../../parts/full.ts';
import { createLongWork } from '../../../parts/long-work.ts';

const text = anyText();
const ip = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('unix:'), fc.constant('0f1e2d3c4b5a6978'));
const events: fc.Arbitrary<HotItemEvent> = fc.record(
  {
    v: fc.constant(1 as const),
    id: text,
    time: fc.integer({ min: 0, max: 8.64e15 }),
    uri: text,
    item: text,
    ip,
    raw: text,
    args: text,
    host: text,
    method: text,
    ua: text,
    ref: text,
    visitor: text,
    kind: fc.constantFrom(...KINDS),
    bot: fc.boolean(),
    node: text,
    weight: fc.integer({ min: 1, max: 1000 }),
    cut: fc.array(text),
    name: text,
    category: text,
  },
  { requiredKeys: ['v', 'id', 'time', 'uri', 'item'] },
);

/** What a document has of a field that it does not have as the event does. */
const OWN: Partial<Record<FieldName, (event: HotItemEvent) => unknown>> = {
  time: ({ time }) => new Date(time).toISOString(),
  visitor: visitorOf,
  bot: ({ bot }) => bot || undefined,
  weight: ({ weight = 1 }) => weight,
};

test('an operation creates a document with the id of the event, and each field at its place', () => {
  const placed = FIELD_NAMES.filter((name) => fieldOf(name).ecs !== undefined);
  fc.assert(
    fc.property(events, (event) => {
      const [action = '', document = '', rest] = toOperation(event).split('\n');
      expect(JSON.parse(action)).toEqual({ create: { _id: event.id } });
      expect(rest).toBe('');
      const found = placed.map((name) => [name, valueAt(JSON.parse(document), fieldOf(name).ecs?.path)]);
      expect(found).toEqual(placed.map((name) => [name, (OWN[name] ?? ((one) => one[name]))(event)]));
    }),
  );
});

test('the bytes of an operation are equal to JSON.stringify of its document', () => {
  fc.assert(fc.property(events, (event) => expect(toOperation(event)).toBe(written(event))));
});

/** The operation, written in the plainest way. */
function written(event: HotItemEvent): string {
  const {
    id,
    uri,
    raw = uri,
    args,
    host,
    method,
    ref,
    ip = '',
    ua,
    node,
    item,
    weight = 1,
    kind,
    bot,
    cut,
    name,
    category,
  } = event;
  const time = new Date(event.time).toISOString();
  const isAddress = isIP(ip) !== 0;
  const visitor = visitorOf(event);
  const request = method === undefined && ref === undefined ? undefined : { method, referrer: ref };
  const document = {
    '@timestamp': time,
    event: { id, dataset: 'hotitem.view', created: time },
    url: { original: args === undefined ? raw : `${raw}?${args}`, path: uri, query: args, domain: host },
    http: request && { request },
    client: { address: event.ip, ip: isAddress ? ip : undefined },
    source: isAddress ? { ip } : undefined,
    user_agent: ua === undefined ? undefined : { original: ua },
    host: node === undefined ? undefined : { name: node },
    hot_item: {
      id: item,
      weight,
      visitor,
      visitor_number: visitor === undefined ? undefined : visitorNumber(visitor),
      kind,
      bot: bot || undefined,
      cut,
      name,
      category,
    },
  };
  return `${JSON.stringify({ create: { _id: id } })}\n${JSON.stringify(document)}\n`;
}

function valueAt(document: unknown, path = ''): unknown {
  return path.split('.').reduce((value: unknown, name) => Object(value)[name], document);
}

test('an event from the fast path gives the same document as from the slow path', () => {
  const field = fc.string({
    unit: fc.constantFrom(...'a /?é☕💥\x7f\u2028"\\\n'),
    minLength: 1,
    maxLength: 4,
  });
  let plain = 0;
  fc.assert(
    fc.property(field, field, field, field, (uri, ua, ref, host) => {
      const json = JSON.stringify({
        v: 1,
        id: 'a',
        time: 1,
        uri,
        item: uri,
        ip: '198.51.100.7',
        host,
        ua,
        ref,
      });
      const event = parsePlain(json);
      if (event === undefined) return;
      plain++;
      expect(isPlain(event)).toBe(true);
      expect(isPlain({ ...event })).toBe(false);
      expect(toOperation(event)).toBe(toOperation({ ...event }));
    }),
    { numRuns: runs(10_000) },
  );
  expect(plain).toBeGreaterThan(25);
});

test('writing a body of many operations yields, also if some are not events', async () => {
  const work = createLongWork();
  function* operations() {
    for (const one of ['a', undefined, undefined, undefined, undefined, 'b']) {
      work.piece();
      yield one;
    }
  }
  const { bytes, length } = await createBody(operations(), (operation) => operation);
  expect([bytes.toString(), length]).toEqual(['ab', 2]);
  expect(work.turns()).toBeGreaterThanOrEqual(2);
});

test('a body has its operations in order, and so has each part of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyText({ maxLength: 5_000 })), fc.nat(), async (operations, cut) => {
      const body = await createBody(operations, (operation) => operation);
      const middle = operations.length === 0 ? 0 : cut % operations.length;
      expect(body.bytes.toString()).toBe(Buffer.from(operations.join('')).toString());
      expect(body.slice(0, middle).bytes.toString()).toBe(
        Buffer.from(operations.slice(0, middle).join('')).toString(),
      );
      const second = body.slice(middle, operations.length);
      expect(second.slice(0, second.length).bytes.toString()).toBe(
        Buffer.from(operations.slice(middle).join('')).toString(),
      );
      expect(second.size).toBe(second.bytes.length);
    }),
  );
});
