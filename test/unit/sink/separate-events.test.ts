import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { separateEvents } from '../../../sink/separate-events.ts';

describe('records with more or less than one event', () => {
  test.each([
    ['an event', '{"v":1}', [['7', '{"v":1}']]],
    ['a byte order mark', '\ufeff{"v":1}', [['7', '{"v":1}']]],
    [
      'a list',
      '[{"a":1},{"b":2}]',
      [
        ['7.0', '{"a":1}'],
        ['7.1', '{"b":2}'],
      ],
    ],
    ['a list behind a mark and blanks', '\ufeff \r\n\t[ {"a":1} ]', [['7.0', '{"a":1}']]],
    [
      'a list with something else',
      '[{"a":1},null,"x"]',
      [
        ['7.0', '{"a":1}'],
        ['7.1', 'null'],
        ['7.2', '"x"'],
      ],
    ],
    ['an empty list', '[]', [['7', '[]']]],
    ['a list of lists', '[[{"a":1}]]', [['7', '[[{"a":1}]]']]],
    ['a list of numbers', '[1,2]', [['7', '[1,2]']]],
    ['a list that is cut', '[{"a":1},', [['7', '[{"a":1},']]],
    ['nothing', '', [['7', '']]],
    ['blanks', '  ', [['7', '  ']]],
  ])('%s', (_, record, parts) => {
    expect(partsOf([record])).toEqual(parts);
  });

  test('a record with too many elements stays one record', () => {
    const list = JSON.stringify(Array.from({ length: 10_001 }, () => ({})));
    expect(partsOf([list])).toEqual([['7', list]]);
  });

  test('each event has the time of its record, and a unique name', () => {
    const record = fc.oneof(
      fc.constant('{}'),
      fc.constant('[{},{}]'),
      fc.constant('\ufeff{}'),
      fc.constant('[]'),
    );
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const pieces = [...separateEvents(batchOf(records))];
        const named = pieces.flatMap(({ values, position, time }) =>
          values.map((_, i) => ({ name: position(i), time: time?.(i) })),
        );
        expect(new Set(named.map(({ name }) => name)).size).toBe(named.length);
        for (const { name, time } of named) expect(time).toBe(Number.parseInt(name, 10) * 10);
      }),
    );
  });

  test('records without a list are passed on unchanged', () => {
    const batch = batchOf(['{"v":1}', '']);
    expect([...separateEvents(batch)]).toEqual([batch]);
  });

  test.each<[string, string[]]>([
    ['many lists', Array.from({ length: 20 }, () => `[${'{},'.repeat(3_000)}{}]`)],
    ['many records', Array.from({ length: 25_000 }, () => '{"v":1}')],
    ['many bytes', Array.from({ length: 50 }, () => `{"v":"${' '.repeat(200_000)}"}`)],
  ])('are split into pieces, of which one fits into memory: %s', (_, records) => {
    const all = partsOf(records, 0);
    const pieces = [...separateEvents(batchOf(records))];
    expect(pieces.length).toBeGreaterThan(2);
    for (const { values } of pieces) {
      expect(values.length).toBeLessThan(20_000);
      expect([...values].reduce((sum, { length }) => sum + length, 0)).toBeLessThan(5 * 1024 * 1024);
    }
    const positions = all.map(([position]) => position);
    expect(new Set(positions).size).toBe(positions.length);
    expect(all.length).toBe(records.length * (records[0]?.split('{}').length === 3_002 ? 3_001 : 1));
  });

  function partsOf(records: string[], first = 7): [string, string][] {
    const pieces = [...separateEvents(batchOf(records, first))];
    return pieces.flatMap(({ values, position }) =>
      values.map((value, i): [string, string] => [position(i), String(value)]),
    );
  }

  function batchOf(records: string[], first = 0) {
    const values = records.map((record) => Buffer.from(record));
    const position = (i: number) => String(first + i);
    return { source: 'events/0', values, position, time: (i: number) => (first + i) * 10 };
  }
});
