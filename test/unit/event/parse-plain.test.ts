import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromLine } from '../../../event/from-line.ts';
import { KINDS } from '../../../event/kind.ts';
import { parse } from '../../../event/parse.ts';
import { parsePlain } from '../../../event/parse-plain.ts';
import { anyText } from '../../parts/any-text.ts';
import { runs } from '../../parts/full.ts';
import { line, lineOfVersion1 } from './lines.ts';

const LINE = line({ uri: '/web/item/4711.html?from=mail' });

test.each([
  ['a line', LINE],
  ['a line of an older include', lineOfVersion1({})],
  ['a prefetch by a known visitor', line({ purpose: 'prefetch', visitor: 'abc' })],
])('reads what the sidecar writes for %s', (_, text) => {
  const json = JSON.stringify(fromLine(text, 'web-1'));
  expect(parsePlain(json)).toBeDefined();
  expect(parsePlain(json)).toEqual(parse(json));
});

test.each([
  ['an escape', '{"v":1,"id":"a","time":1,"uri":"/\\u0041","item":"1"}'],
  ['another order', '{"id":"a","v":1,"time":1,"uri":"/","item":"1"}'],
  ['a field that it does not know', '{"v":1,"id":"a","time":1,"uri":"/","item":"1","new":1}'],
  ['what was cut', '{"v":1,"id":"a","time":1,"uri":"/","item":"1","cut":["uri"]}'],
  ['another version', '{"v":2,"id":"a","time":1,"uri":"/","item":"1"}'],
  ['an empty item', '{"v":1,"id":"a","time":1,"uri":"/","item":""}'],
  ['a control character', '{"v":1,"id":"a","time":1,"uri":"/\n","item":"1"}'],
])('leaves %s to parse', (_, json) => {
  expect(parsePlain(json)).toBeUndefined();
});

const plain = fc.stringMatching(/^[ !#-[\]-~]{1,20}$/);
const odd = fc.oneof(anyText(), fc.integer(), fc.boolean(), fc.constant(null), fc.array(plain));
const mostly = <T>(right: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 60, arbitrary: right }, { weight: 1, arbitrary: odd });
const almostEvents = fc.record(
  {
    v: mostly(fc.constant(1)),
    id: mostly(fc.stringMatching(/^[\w-]{1,40}$/)),
    time: mostly(fc.nat()),
    uri: mostly(plain),
    item: mostly(plain),
    ip: mostly(plain),
    raw: mostly(plain),
    args: mostly(plain),
    host: mostly(plain),
    method: mostly(plain),
    ua: mostly(plain),
    ref: mostly(plain),
    node: mostly(plain),
    visitor: mostly(plain),
    kind: mostly(fc.constantFrom(...KINDS)),
    bot: mostly(fc.boolean()),
    weight: mostly(fc.integer({ min: 1, max: 2_000_000 })),
  },
  { requiredKeys: ['v', 'id', 'time', 'uri', 'item'] },
);

test('agrees with parse', () => {
  let read = 0;
  fc.assert(
    fc.property(almostEvents, (event) => {
      const json = JSON.stringify(event);
      const found = parsePlain(json);
      if (found === undefined) return;
      read++;
      expect(found).toEqual(parse(json));
    }),
    { numRuns: runs(3_000) },
  );
  expect(read).toBeGreaterThan(100);
});
