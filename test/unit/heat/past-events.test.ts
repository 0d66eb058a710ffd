import { expect, test } from '@jest/globals';
import { fromLine } from '../../../event/from-line.ts';
import { parse } from '../../../event/parse.ts';
import { createPastEvents, type PastEventsOptions, TooManyBadEvents } from '../../../heat/past-events.ts';
import { createRecentIds } from '../../../sidecar/ingest/recent-ids.ts';
import { line } from '../event/lines.ts';

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
const EVENT = parse(JSON.stringify(fromLine(line({ ua: BROWSER }), 'web-1')));
const DAY_MS = 86_400_000;
const EVER = { from: 0, to: Number.MAX_SAFE_INTEGER };

test('an event counts once, however often it occurs', () => {
  const { take, counts } = create();
  for (const id of ['1', '2', '1', '1']) take({ id });
  expect(counts()).toMatchObject({ events: 4, views: 2, duplicates: 2 });
});

test('an event counts once also if the first one waits for confirmation by the next', () => {
  const { take, counts } = create();
  for (const id of ['1', '1', '1', '2']) take({ id });
  expect(counts()).toMatchObject({ events: 4, views: 2, duplicates: 2 });
});

test('events that are not views, or of another time or node, are omitted and counted', () => {
  const { time } = EVENT;
  const { take, counts, seen } = create({ node: 'web-1', range: { from: time, to: time + 10 } });
  take({ kind: 'head' });
  take({ time: time - 1 });
  take({ time: time + 10 });
  take({ node: 'web-2' });
  take({ time: time + 9 });
  expect(counts()).toMatchObject({ events: 5, views: 1, noViews: 1, outside: 2, otherNodes: 1 });
  expect(seen).toEqual([time + 9]);
});

test('an event from the future, compared with its time of receipt, is omitted and counted', () => {
  const { take, counts } = create();
  take({ time: EVENT.time + 2_001 }, EVENT.time);
  take({ time: EVENT.time + 2_000 }, EVENT.time);
  expect(counts()).toMatchObject({ views: 1, ahead: 1 });
});

test.each([
  ['one of next year among those of today', [0, 1, 365 * DAY_MS, 2, 3], [0, 1, 2, 3], 1],
  ['the very first of next year', [365 * DAY_MS, 0, 1], [0, 1], 1],
  ['a pause of a night', [0, 1, DAY_MS / 2, DAY_MS / 2 + 1], [0, 1, DAY_MS / 2, DAY_MS / 2 + 1], 0],
  ['the last one after a pause of a night', [0, 1, DAY_MS / 2], [0, 1, DAY_MS / 2], 0],
  ['a last one of next year', [0, 1, 365 * DAY_MS], [0, 1], 1],
  [
    'a view each hour',
    [0, 1, 2, 3].map((hour) => hour * 3_600_000),
    [0, 1, 2, 3].map((hour) => hour * 3_600_000),
    0,
  ],
  ['one that is late', [0, DAY_MS, DAY_MS + 1, 5], [0, DAY_MS, DAY_MS + 1, 5], 0],
])('without a time of receipt: %s', (_, given, expected, ahead) => {
  const { take, counts, seen } = create();
  for (const offset of given) take({ time: EVENT.time + offset });
  expect(counts()).toMatchObject({ views: expected.length, ahead });
  expect(seen).toEqual(expected.map((offset) => EVENT.time + offset));
});

test('lines that are not events are counted, and the first of them reported with place and reason', () => {
  const { takeText, take, counts } = create({ mostBad: 20 });
  for (let i = 0; i < 15; i++) takeText('{"v":1}');
  take({});
  const { badExamples, ...rest } = counts();
  expect(rest).toMatchObject({ events: 16, views: 1, bad: 15 });
  expect(badExamples).toHaveLength(10);
  expect(badExamples[0]).toEqual({ place: 'line 1', reason: expect.stringMatching(/^id: /) });
});

test('too many lines that are not events are an error', () => {
  const { takeText } = create({ mostBad: 3 });
  for (let i = 0; i < 3; i++) takeText('no');
  expect(() => takeText('no')).toThrow(TooManyBadEvents);
});

test('views by bots, and without stored visitors, are reported', () => {
  const { ip: _, ...nobody } = EVENT;
  const { take, takeText, counts } = create();
  take({ bot: true });
  takeText(JSON.stringify({ ...nobody, id: 'nobody' }));
  expect(counts()).toMatchObject({ views: 2, bots: 1, unknownVisitors: 1 });
});

function create(options: Partial<PastEventsOptions> = {}) {
  const seen: number[] = [];
  const events = createPastEvents({
    other: (value) => parse(value.toString()),
    range: EVER,
    recent: createRecentIds(),
    mostBad: 10,
    observe: (view) => void seen.push(view.time()),
    ...options,
  });
  let number = 0;
  return {
    seen,
    counts: events.end,
    takeText,
    /** Each of an id of its own, where none is given. */
    take: (changes: object, received?: number) =>
      takeText(JSON.stringify({ ...EVENT, id: `own-${number}`, ...changes }), received),
  };

  function takeText(text: string, received?: number): void {
    const place = ++number;
    const bytes = Buffer.from(text);
    events.take(bytes, 0, bytes.length, received, () => `line ${place}`);
  }
}
