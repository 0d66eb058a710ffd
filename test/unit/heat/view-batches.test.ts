import { describe, expect, test } from '@jest/globals';
import { HIGH, IS_BOT, LOW, ROW_BITS, VISITOR, WEIGHT } from '../../../detect/views.ts';
import { createBotTest } from '../../../event/bot-test.ts';
import { createHeatView } from '../../../event/heat-view.ts';
import { createLine } from '../../../event/line.ts';
import { type CountedViews, createViewBatches } from '../../../heat/view-batches.ts';
import { line } from '../event/lines.ts';

const BROWSER = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

describe('the views of a request', () => {
  test('count with item, visitor, weight and time, once they are known to be new', () => {
    const { show, counted } = create();
    const batch = show(
      line({ item: '4711', ua: BROWSER, version: '2/10' }),
      line({ item: '4711', ua: BROWSER, ip: '203.0.113.8', msec: '1795355712.999' }),
      line({ item: '0815', ua: BROWSER }),
    );
    expect(counted).toEqual([]);
    batch.count();
    const [[one, two, three] = []] = counted;
    expect([one, two, three]).toMatchObject([
      { name: '4711', weight: 10, isBot: false, time: 1_795_355_712_163 },
      { name: '4711', weight: 1, isBot: false, time: 1_795_355_712_999 },
      { name: '0815', weight: 1, isBot: false },
    ]);
    expect(one?.item).toEqual(two?.item);
    expect(one?.visitor).not.toBe(two?.visitor);
    expect(one?.item).not.toEqual(three?.item);
    expect(one?.visitor).toBe(three?.visitor);
  });

  test('that are dropped, or sorted again, do not count twice', () => {
    const { show, counted, lines } = create();
    show(line({ item: '4711' })).drop();
    const batch = show(line({ item: '4711' }), line({ item: '0815' }));
    batch.clear();
    lines.read(Buffer.from(line({ item: '1' }), 'latin1'), 0);
    batch.add(lines);
    batch.count();
    expect(counted.map((views) => views.map(({ name }) => name))).toEqual([['1']]);
  });

  test.each([
    ['fetched ahead', { purpose: 'prefetch' }],
    ['a look at the headers', { method: 'HEAD' }],
    ['a part of a page', { purpose: 'part' }],
    ['a test of hotitem doctor', { ua: `hotitem-doctor/${'a'.repeat(32)}` }],
    ['a POST', { method: 'POST' }],
  ])('that are %s make nothing hot', (_, changes) => {
    const { show, counted } = create();
    show(line(changes)).count();
    expect(counted).toEqual([]);
  });

  test('of a bot are marked as such', () => {
    const { show, counted } = create();
    show(line({ ua: 'Googlebot/2.1' })).count();
    expect(counted[0]?.[0]?.isBot).toBe(true);
  });

  test.each<[string, Parameters<typeof line>[0], string]>([
    ['UTF-8', { item: 'caf\xc3\xa9' }, 'café'],
    ['bytes that are no UTF-8', { item: '\xff' }, '\uFFFD'],
    ['too many characters', { item: 'x'.repeat(300) }, 'x'.repeat(256)],
    ['none, and a path in its place', { item: '', uri: '/web/item/9' }, '/web/item/9'],
    ['none, and a path that nginx resolves', { item: '', uri: '/web/x/../item/%39' }, '/web/item/9'],
  ])('name their item as the event does: %s', (_, changes, name) => {
    const { show, counted } = create();
    show(line(changes)).count();
    expect(counted[0]?.[0]?.name).toBe(name);
  });

  test('of a torn line, which is parsed from a copy, name their item', () => {
    const { batches, counted, lines } = create();
    const batch = batches.begin(Buffer.from('other bytes'));
    lines.read(Buffer.from(line({ item: '4711' }), 'latin1'), 0);
    batch.add(lines);
    batch.count();
    expect(counted[0]?.[0]?.name).toBe('4711');
  });

  test('may be many, and those of several requests do not mix', () => {
    const { show, counted } = create();
    const many = Array.from({ length: 1_000 }, (_, i) => line({ item: `${i}` }));
    const one = show(...many);
    const other = show(line({ item: 'other' }));
    one.count();
    other.count();
    expect(counted[0]?.map(({ name }) => name)).toEqual(many.map((_, i) => `${i}`));
    expect(counted[1]?.map(({ name }) => name)).toEqual(['other']);
  });
});

function create() {
  const counted: ReturnType<typeof read>[] = [];
  const batches = createViewBatches({
    view: createHeatView(),
    isBot: createBotTest(),
    count: (views) => counted.push(read(views)),
  });
  const lines = createLine();
  return { batches, counted, lines, show };

  /** As the intake shows lines, and before it says what became of them. */
  function show(...texts: string[]) {
    const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(''), 'latin1');
    const batch = batches.begin(bytes);
    for (let at = 0; at < bytes.length; at = lines.lineEnd() + 1) {
      expect(lines.read(bytes, at)).toBe(true);
      batch.add(lines);
    }
    return batch;
  }
}

function read(views: CountedViews) {
  return Array.from({ length: views.length }, (_, i) => ({
    item: views.words.slice((i << ROW_BITS) + HIGH, (i << ROW_BITS) + LOW + 1),
    visitor: views.words[(i << ROW_BITS) + VISITOR],
    weight: views.words[(i << ROW_BITS) + WEIGHT],
    isBot: views.words[(i << ROW_BITS) + IS_BOT] === 1,
    time: views.times[i],
    name: views.name(i),
  }));
}
