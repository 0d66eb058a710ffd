import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { markdown } from '../../../report/escape.ts';
import type { Report } from '../../../report/report.ts';
import { toHtml } from '../../../report/to-html.ts';
import { toMarkdown } from '../../../report/to-markdown.ts';
import { HOSTILE_TEXTS } from '../../parts/hostile-texts.ts';

const HOUR = 3_600_000;
const FROM = Date.parse('2026-11-27T17:00:00Z');
const HOSTILE = [
  ...HOSTILE_TEXTS,
  '![x](http://evil.example/x.png)',
  'www.evil.example',
  'https://evil.example',
  '| a | b |',
  '# heading',
  '`code`',
  'x\x1b[2J\x9b31m',
  'a\nb',
];

function reportOf(text: string): Report {
  const summary = { busy: { items: 1, minutes: 2 }, surge: { items: 0, minutes: 0 }, held: 0, saved: 77 };
  return {
    version: 1,
    range: { from: FROM, to: FROM + 4 * HOUR, isRunning: false },
    made: FROM + 5 * HOUR,
    timeZone: 'Europe/Berlin',
    index: text,
    notes: [text],
    totals: { people: 1_000, bots: 200, prefetches: 0, others: 0, all: 1_200, visitors: 400, items: 9 },
    curve: { stepMs: HOUR, people: [100, 700, 150, 50], all: [120, 800, 200, 80] },
    periods: {
      list: [
        {
          item: text,
          name: text,
          nodes: [text],
          signal: text,
          since: FROM + 600_000,
          until: FROM + 900_000,
          reason: text,
          rule: text,
          dryRun: false,
          actions: [text, 'cache'],
          people: 900,
          all: 1_000,
          most: { perSecond: 12, overMs: 10_000 },
          savedAtMost: 700,
        },
      ],
      more: 0,
      mostAtOnce: 1,
      cap: 100,
    },
    saved: {
      atMost: 700,
      refreshMs: 5_000,
      counted: { since: FROM, isWithin: false, cached: 500, origin: 20 },
    },
    items: [{ item: text, name: text, category: text, people: 900, all: 1_000, visitors: 300 }],
    categories: [{ category: text, people: 900, all: 1_000, visitors: 300 }],
    accounting: {
      waiting: { events: 3 },
      dead: { events: 1, reasons: [{ reason: text, events: 1 }] },
      lost: {
        list: [{ reason: text, why: text, views: 10, first: FROM, last: FROM + 1, isWithin: true }],
        earlier: 0,
        notAsked: [text],
      },
      lateness: { log: text, views: 1_200, medianMs: 20, p99Ms: 900, longestMs: 41_000 },
    },
    held: {
      list: [{ item: text, name: text, signal: text, first: FROM, last: FROM, times: 1, reason: text }],
      more: 0,
    },
    rules: {
      range: { from: FROM, to: FROM + 4 * HOUR },
      source: text,
      views: 1_200,
      span: { from: FROM, to: FROM + 1, surgesFrom: FROM + 180_000 },
      isCut: true,
      damage: text,
      inForce: summary,
      grid: [{ busyFrom: 10, surprise: 15, ...summary, saved: 96_077 }],
    },
  };
}

describe('a report', () => {
  test.each(HOSTILE)('shows %j as text in HTML', (text) => {
    // The same elements as with a harmless name, and no character that a reader cannot see.
    const tags = (page: string) => page.match(/<[^>]*>/g)?.map((tag) => tag.replaceAll(/ x="[^"]*"/g, ''));
    expect(tags(toHtml(reportOf(text)))).toEqual(tags(toHtml(reportOf('4711'))));
    expect(toHtml(reportOf(text))).not.toMatch(/(?!\n)[\p{C}\p{Zl}\p{Zp}]/u);
  });

  test.each(HOSTILE)('shows %j as text in Markdown', (text) => {
    const page = toMarkdown(reportOf(text));
    const shape = (lines: string) => lines.split('\n').map((line) => line.match(/(?<!\\)\|/g)?.length ?? 0);
    expect(shape(page)).toEqual(shape(toMarkdown(reportOf('4711'))));
    expect(page).not.toMatch(/<|(?<!\\)[[\]`]|https?:|www\.|(?!\n)[\p{C}\p{Zl}\p{Zp}]/u);
  });

  test.each([
    ['contact@example.com', 'contact\\@&#8203;example\\.com'],
    ['@user', '\\@&#8203;user'],
    ['#12', '\\#&#8203;12'],
    ['https://evil.example', 'https\\:&#8203;\\/\\/evil\\.example'],
    ['WWW.evil.example', 'WWW\\.&#8203;evil\\.example'],
    ['18:04 & <b>', '18\\:04 &amp; &lt;b&gt;'],
  ])('shows %j in Markdown so that GitHub makes no link or mention of it afterwards', (text, expected) => {
    expect(markdown(text)).toBe(expected);
  });

  test('forbids script and every request, and its policy allows its own style', () => {
    const page = toHtml(reportOf('4711'));
    const [, style = ''] = /<style>(.*)<\/style>/s.exec(page) ?? [];
    expect(page).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|\sstyle=|\son\w+=|https?:|url\(|@import/);
  });

  test('says in its first sentences what was hot, when the peak was, and what was lost', () => {
    const { accounting, ...report } = reportOf('4711');
    const lost = { list: [], earlier: 0, notAsked: [] };
    const known = { ...report, accounting: { ...accounting, lost } };
    expect(toMarkdown(known).replaceAll('\\', '')).toContain(
      '**1 item was hot.** At the peak, 19:00:00, item pages were asked for 0.22 times a second over 1 h. No view was lost.',
    );
    const running = { ...known, range: { ...report.range, isRunning: true } };
    expect(toHtml(running)).toContain('It goes on: this is up to 22:00:00.');
  });

  test('says at once that views are still on their way to the index, also where it has none', () => {
    const { accounting, totals, ...report } = reportOf('4711');
    const textOf = (waiting: number, inKafka: number, all = 1_200) =>
      toMarkdown({
        ...report,
        totals: { ...totals, all },
        accounting: { ...accounting, waiting: { events: waiting }, inKafka: { events: inKafka } },
      }).replaceAll('\\', '');
    const late = 'views were not in the index yet when this was made: there may be more than it says.';

    expect(textOf(3, 2_000)).toContain(`2,003 ${late}`);
    expect(textOf(0, 5, 0)).toContain(`5 ${late}`);
    expect(textOf(3, 2_000)).toContain('| On the way | 3 | in the spool of this host, when this was made;');
    expect(textOf(3, 2_000)).toContain('| On the way | 2,000 | in Kafka, for the sinks, when this was made;');
    // A sink that keeps up always has some.
    expect(textOf(3, 9)).not.toContain(late);
    const unknown = { ...accounting, inKafka: { unknown: 'Kafka does not say' } };
    expect(toMarkdown({ ...report, totals, accounting: unknown })).toContain(
      '| On the way | not known | in Kafka, for the sinks\\: Kafka does not say |',
    );
  });

  test('says of views that were not read that they were not read, not that there are none', () => {
    const { rules, ...report } = reportOf('Kafka');
    if ('unknown' in rules) throw new Error(rules.unknown);
    const { damage: _, ...whole } = rules;
    const textOf = (one: Report['rules']) => toMarkdown({ ...report, rules: one }).replaceAll('\\', '');

    expect(textOf({ ...whole, views: 0, isCut: false })).toContain(
      'Not known: the events of this time are not in Kafka.',
    );
    expect(textOf({ ...whole, views: 0, isCut: true })).toContain(
      'Not known: the time for it was over before any was read in Kafka (--rules-seconds).',
    );
    const damaged = textOf({ ...rules, damage: '7 records', views: 0, isCut: false });
    expect(damaged).toMatch(
      /Not known: what can be read in Kafka has none.*\n\nA part could not be read: 7 records\./,
    );
  });

  test('shows the rate of a small shop, which is not 0', () => {
    const report = reportOf('4711');
    const few = { ...report, curve: { stepMs: HOUR, people: [9, 36, 9, 9], all: [9, 48, 9, 9] } };
    expect(toMarkdown(few).replaceAll('\\', '')).toContain('asked for 0.013 times a second over 1 h.');
    expect(toHtml(few)).toContain('most: 0.013/s at 19:00:00');
    const axis = toHtml(few).match(/text-anchor="end">[\d.]+</g) ?? [];
    expect(new Set(axis).size).toBe(axis.length);
  });

  test('never says that nothing was lost, or how much, where that is not sure', () => {
    const { accounting, ...report } = reportOf('x');
    const lossOf = (lost: Report['accounting']['lost']) =>
      toMarkdown({ ...report, accounting: { ...accounting, lost } }).replaceAll('\\', '');
    const loss = { reason: 'x', why: 'x', views: 10, first: FROM - 1, last: FROM + 1, isWithin: false };

    expect(lossOf({ unknown: 'nothing answers' })).toContain('Whether views were lost is not known.');
    expect(lossOf({ unknown: 'nothing answers' })).toContain('| Lost | not known | nothing answers |');
    expect(lossOf({ list: [loss], earlier: 5, notAsked: [] })).toContain('Up to 15 views were lost.');
    expect(lossOf({ list: [], earlier: 0, notAsked: ['what a sink lost: x'] })).toContain(
      'No view was lost, as far as the services know that reported.',
    );
  });

  test('says why it does not know, instead of 0', () => {
    const unknown = { unknown: 'because <b>' };
    const { accounting, ...report } = reportOf('4711');
    const page = toHtml({
      ...report,
      rules: unknown,
      accounting: { ...accounting, dead: unknown, waiting: unknown, lateness: unknown },
    });
    expect(page).toContain('<p class="none">Not known: because &lt;b&gt;.</p>');
    expect(page).toContain('<td class="r">not known</td><td class="t">because &lt;b&gt;</td>');
    expect(page).toContain(
      '<td class="r">not known</td><td class="t">in the spool of this host: because &lt;b&gt;</td>',
    );
    expect(page).toContain('how late is not known: because &lt;b&gt;');
    expect(toHtml({ ...report, accounting, categories: [] })).toContain('indexed without a catalogue');
  });

  test('says how many requests nginx answered where that is known, and otherwise how many at most', () => {
    const { saved, ...report } = reportOf('4711');
    const counted = { since: FROM, isWithin: true, cached: 500, origin: 20 };
    const textOf = (one: Report['saved']) => toMarkdown({ ...report, saved: one }).replaceAll('\\', '');

    expect(textOf(saved)).toContain(
      'Requests saved at the origin: at most 700 (views while nginx was told to cache, less refreshes, 58% of all)',
    );
    expect(textOf(saved)).toContain(
      'answered 500 from its cache. How many of them in this time is not recorded.',
    );
    expect(textOf({ ...saved, counted })).toContain('saved at the origin: 500 (of 520 for hot items since ');
    const limited = { ...counted, limit: { checked: 90, limited: 7, wouldLimit: 0 } };
    expect(textOf({ ...saved, counted: limited })).toContain(
      'from its cache. It limited 7 of 90 requests that limit.conf checked.',
    );
    const tried = { ...counted, limit: { checked: 90, limited: 0, wouldLimit: 12 } };
    expect(textOf({ ...saved, counted: tried })).toContain(
      'Of 90 requests that limit.conf checked it limited 0, and would have limited 12 if it were not a dry run.',
    );
    expect(textOf({ ...saved, counted: { unknown: 'because' } })).toContain(
      'from its cache is not known: because.',
    );
  });

  test('says how long a period was at most whose end was not recorded', () => {
    const { periods, ...report } = reportOf('4711');
    const [period] = periods.list;
    if (period === undefined) throw new Error('none');
    const { until: _, ...lasting } = period;
    const of = (one: Report['periods']['list'][number]) => ({
      ...report,
      periods: { ...periods, list: [one] },
    });
    const lost = of({ ...lasting, lostAt: FROM + HOUR });
    expect(toMarkdown(lost)).toContain('| at most 50 min |');
    expect(toMarkdown(lost)).toContain('its end was not recorded');
    expect(toMarkdown(of(lasting))).toContain('| 3 h 50 min, and on |');
    const widthOf = (page: string) => Number(/<rect class="h" .*? width="([\d.]+)"/.exec(page)?.[1]);
    expect(widthOf(toHtml(lost))).toBeLessThan(widthOf(toHtml(of(lasting))) / 4);
  });

  test('never says how many items were held back, only how many were recorded', () => {
    const { held, ...report } = reportOf('4711');
    const text = (one: Report['held']) => toMarkdown({ ...report, held: one }).replaceAll('\\', '');
    expect(text({ ...held, more: 99 })).toContain('- Held back by the cap: at least 100 ');
    expect(text(held)).toContain('| Item | Signal | First recorded | Last recorded |');
    expect(text(held)).toContain('more may have been held back, and for longer');
    expect(text({ list: [], more: 0 })).toContain('- Held back by the cap: none recorded ');
    expect(text({ list: [], more: 0 })).toContain('Nothing was recorded as held back. ');
  });

  test('marks visitors that are estimated, in the figures and in the tables', () => {
    const { totals, items, categories, ...report } = reportOf('4711');
    const estimated = true as const;
    const text = toMarkdown({
      ...report,
      totals: { ...totals, estimated },
      items: items.map((one) => ({ ...one, estimated })),
      categories: categories.map((one) => ({ ...one, estimated })),
    }).replaceAll('\\', '');
    expect(text).toContain('- Visitors: ≈ 400 ');
    expect(text.match(/\| 1,000 \| ≈ 300 \|/g)).toHaveLength(2);
    expect(toMarkdown({ ...report, totals, items, categories })).not.toContain('≈ ');
  });

  test.each([
    ['is shorter', [60, 30], 30_000, '1 times a second over 1 min', '1/s'],
    ['is shorter and the busiest', [60, 90], 30_000, '3 times a second over 30 s', '3/s'],
    ['is too short to tell', [60, 1], 2, '1 times a second over 1 min', '1/s'],
  ])('where the last interval %s has the rates of it', (_, all, lastMs, lead, last) => {
    const { range, ...report } = reportOf('4711');
    const running = {
      ...report,
      curve: { stepMs: 60_000, people: all, all },
      range: { ...range, to: range.from + 60_000 + lastMs },
    };
    expect(toMarkdown(running).replaceAll('\\', '')).toContain(lead);
    expect(toHtml(running)).toContain(`>all ${last}<`);
  });

  test('of a time without views has no shape, and says so', () => {
    const { totals, ...report } = reportOf('4711');
    const nothing = { people: 0, bots: 0, prefetches: 0, others: 0, all: 0, visitors: 0, items: 0 };
    const page = toHtml({
      ...report,
      totals: nothing,
      curve: { stepMs: HOUR, people: [0, 0, 0, 0], all: [0, 0, 0, 0] },
      periods: { list: [], more: 0, mostAtOnce: 0, cap: 100 },
      items: [],
      categories: [],
    });
    expect(page).toContain('<b>Nothing was hot.</b> There were no views.');
    expect(page).not.toMatch(/NaN|Infinity|undefined|<path/);
  });

  test.each([
    [
      'summer time',
      '2026-03-28T22:00:00Z',
      '28 March 2026, 23:00:00 CET to 29 March 2026, 06:00:00 CEST',
      ['29 Mar, 00:10:00 CET', '29 Mar, 03:10:00 CEST'],
    ],
    [
      'winter time',
      '2026-10-24T22:00:00Z',
      '25 October 2026, 00:00:00 CEST to 05:00:00 CET',
      ['01:10:00 CEST', '02:10:00 CET'],
    ],
  ])('over the change to %s has each time with its zone', (_, begin, range, times) => {
    const from = Date.parse(begin);
    const { periods, ...report } = reportOf('4711');
    const [period] = periods.list;
    const list = [HOUR, 3 * HOUR].map((after) => ({
      ...(period as Report['periods']['list'][number]),
      since: from + after + 600_000,
      until: from + 4 * HOUR,
    }));
    const page = toMarkdown({
      ...report,
      periods: { ...periods, list },
      range: { from, to: from + 6 * HOUR, isRunning: false },
    }).replaceAll('\\', '');
    expect(page).toContain(range);
    for (const time of times) expect(page).toContain(`| ${time} |`);
  });

  test('lists only rules that would have helped, beside those of now', () => {
    const report = reportOf('4711');
    expect(toMarkdown(report).replaceAll('\\', '')).toMatch(
      /\| none: the rules of now \| 77 .*\n\| busy from 10 views\/s, surge from a surprise of 15 \| 96,077 /,
    );
    const { rules } = report;
    if ('unknown' in rules) throw new Error('not known');
    const none = { ...rules, grid: rules.grid.map((cell) => ({ ...cell, saved: 0 })) };
    expect(toMarkdown({ ...report, rules: none })).toContain('none would have saved more');
  });
});
