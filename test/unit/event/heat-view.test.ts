import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createBotTest } from '../../../event/bot-test.ts';
import type { HotItemEvent } from '../../../event/event.ts';
import { createEventWriter } from '../../../event/event-writer.ts';
import { FIELDS } from '../../../event/fields.ts';
import { createHeatView } from '../../../event/heat-view.ts';
import { createLine } from '../../../event/line.ts';
import { createVisitorHash } from '../../../event/visitor.ts';
import { runs } from '../../parts/full.ts';
import { line, NODE, utf8 } from './lines.ts';

const reader = createLine();
const view = createHeatView();
const writer = createEventWriter({
  node: NODE,
  hashVisitor: createVisitorHash(),
  isBot: createBotTest(),
  ip: { mode: 'drop' },
  omit: ['ua', 'visitor'],
});

type Changes = Parameters<typeof line>[0];

/** Looks at a line that lies `before` bytes into a buffer. */
function look(changes: Changes, before = 0, by = view): typeof view {
  const text = `${'x'.repeat(before)}${line(changes)}\n${'2'.repeat(before)}`;
  expect(reader.read(Buffer.from(text, 'latin1'), before)).toBe(true);
  by.look(reader);
  return by;
}

function itemOf(changes: Changes, before?: number): string {
  const { item } = look(changes, before);
  return `${item(0)} ${item(1)}`;
}

function visitorOf(changes: Changes, before?: number): number {
  return look(changes, before).visitor();
}

/** The item as the event of the line that was read last has it. */
function writtenItem(): string {
  const out = Buffer.alloc(writer.mostBytes(reader));
  const end = writer.write(reader, out, 0, { oneIn: 1, bare: true });
  return (JSON.parse(out.toString('utf8', 0, end)) as HotItemEvent).item;
}

/** Items, and ways to ask for them, of which many are one item in another spelling. */
const characters = fc.constantFrom(
  'a',
  'b',
  '%61',
  '%62',
  '/',
  '/./',
  '%2F',
  '"',
  '\\',
  '%22',
  '\xc3\xa9',
  '\xff',
  '\xfe',
);
const piece = fc.string({ unit: characters, maxLength: 6 });
const longest = fc
  .tuple(
    fc.integer({ min: FIELDS.item.limit - 3, max: FIELDS.item.limit + 2 }),
    fc.constantFrom('a', '\xc3\xa9', '\xf0\x9f\x98\x80'),
  )
  .map(([n, character]) => character.repeat(n));
const named = fc.record({ item: fc.oneof({ weight: 5, arbitrary: piece }, longest) });
const unnamed = fc
  .oneof({ weight: 5, arbitrary: piece }, longest)
  .map((path) => ({ item: '', uri: `/${path}` }));
const anyLine = fc.oneof(named, unnamed);

describe('the item of a view', () => {
  test('is the one in its event, in any spelling and at any position', () => {
    const items = new Map<string, string>();
    const bits = new Map<string, string>();
    fc.assert(
      fc.property(anyLine, fc.nat({ max: 4 }), (changes, before) => {
        const found = itemOf(changes, before);
        const item = writtenItem();
        expect(view.name()).toBe(item);
        expect(items.get(item) ?? found).toBe(found);
        expect(bits.get(found) ?? item).toBe(item);
        items.set(item, found);
        bits.set(found, item);
      }),
      { numRuns: runs(5_000) },
    );
    expect(items.size).toBeGreaterThan(runs(1_000));
  });

  test.each<[string, Changes, Changes]>([
    ['a path that is escaped', { item: '', uri: '/a/%62' }, { item: '', uri: '/a/b' }],
    ['a path with dots', { item: '', uri: '/x/../a//b' }, { item: '', uri: '/a/b?c=d' }],
    ['a name that is the path of another', { item: '/a/b' }, { item: '', uri: '/a/b' }],
    [
      'a name and the beginning that is kept of a longer one',
      { item: 'x'.repeat(256) },
      { item: 'x'.repeat(300) },
    ],
    ['bytes that are no text', { item: '\xff' }, { item: '\xef\xbf\xbd' }],
  ])('is one item: %s', (_, one, other) => {
    expect(itemOf(one)).toBe(itemOf(other));
  });

  test.each<[string, Changes, Changes]>([
    ['a name and its beginning', { item: '4711' }, { item: '47110' }],
    ['a name and itself with a NUL, as zeros fill up a word', { item: 'abc' }, { item: 'abc\0' }],
    ['the root and a path in it', { item: '', uri: '/' }, { item: '', uri: '/a' }],
    ['the 256th character', { item: `${'x'.repeat(255)}a` }, { item: `${'x'.repeat(255)}b` }],
  ])('is two items: %s', (_, one, other) => {
    expect(itemOf(one)).not.toBe(itemOf(other));
  });

  test('hashes differently in each process', () => {
    const bits = Array.from({ length: 20 }, () => look({ item: '4711' }, 0, createHeatView()).item(0));
    expect(new Set(bits).size).toBeGreaterThan(15);
  });
});

describe('the visitor of a view', () => {
  test.each<[string, Changes, Changes]>([
    [
      'one key from two addresses',
      { visitor: 'v', ip: '192.0.2.1' },
      { visitor: 'v', ip: '192.0.2.2', ua: 'x' },
    ],
    ['one address with one user agent', { uri: '/a', item: 'a' }, { uri: '/b', item: 'b', ref: '' }],
    ['one browser in one network of IPv6', { ip: '2001:db8:0:1::5' }, { ip: '2001:db8:0:1:a:b:c:d' }],
    [
      'one key on two nodes, in a request of another method',
      { visitor: 'v' },
      { visitor: 'v', method: 'HEAD' },
    ],
  ])('is one: %s', (_, one, other) => {
    expect(visitorOf(one, 3)).toBe(visitorOf(other));
  });

  test.each<[string, Changes, Changes]>([
    ['two keys behind one address', { visitor: 'v' }, { visitor: 'w' }],
    ['two browsers behind one address', { ua: 'a' }, { ua: 'b' }],
    ['one browser at two addresses', { ip: '192.0.2.1' }, { ip: '192.0.2.11' }],
    ['one browser in two networks of IPv6', { ip: '2001:db8:0:1::5' }, { ip: '2001:db8:0:2::5' }],
    ['a key and none', { visitor: 'v' }, {}],
  ])('are two: %s', (_, one, other) => {
    expect(visitorOf(one, 3)).not.toBe(visitorOf(other));
  });

  test('is known by user agent if there is no address', () => {
    expect(visitorOf({ ip: '', ua: 'a' })).not.toBe(visitorOf({ ip: '', ua: 'b' }));
  });
});

test('the name of an item is its text', () => {
  expect(look({ item: 'Stra\xc3\x9fe' }).name()).toBe(utf8('Stra\xc3\x9fe'));
});
