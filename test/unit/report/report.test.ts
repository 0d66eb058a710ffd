import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Report } from '../../../report/report.ts';
import { toHtml } from '../../../report/to-html.ts';
import { toMarkdown } from '../../../report/to-markdown.ts';

const HOSTILE = [
  '<script>window.taken=1</script>',
  '"><img src=x onerror=window.taken=1>',
  "'><svg onload=window.taken=1>",
  '</title></style></textarea><img src=x onerror=window.taken=1>',
  '[x](javascript:window.taken=1)',
  '![x](http://evil.example/x.png)',
  'www.evil.example',
  'https://evil.example',
  '| a | b |',
  '# heading',
  '`code`',
  '&lt;img src=x&gt;',
  '\u202eabc\u202c',
  'a\u2028b',
  'x\x1b[2J\x9b31m',
  'a\nb',
];

function reportOf(text: string): Report {
  const from = Date.parse('2026-11-27T17:00:00Z');
  return {
    range: { from, to: from + 4 * 3_600_000 },
    made: from + 5 * 3_600_000,
    timeZone: 'Europe/Berlin',
    totals: { people: 1_000, all: 1_200, visitors: 400 },
    curve: { stepMs: 3_600_000, people: [100, 700, 150, 50], all: [120, 800, 200, 80] },
    periods: [
      {
        item: text,
        signal: text,
        since: from + 600_000,
        until: from + 900_000,
        reason: text,
        rule: text,
        dryRun: false,
        actions: [text],
      },
    ],
    items: [{ item: text, people: 900, all: 1_000, visitors: 300 }],
    accounting: {
      captured: 1_200,
      indexed: 1_190,
      dead: 0,
      lost: [{ reason: text, views: 10, first: from, last: from + 1 }],
    },
    held: [{ item: text, signal: text, since: from, reason: text }],
    rules: [{ busyFrom: 10, surprise: 15, hotItems: 3, held: 0, savedRequests: 77 }],
  };
}

describe('a report', () => {
  test.each(HOSTILE)('shows %j as text in HTML', (text) => {
    // The same elements as with a harmless name, and no character that a reader cannot see.
    const tags = (page: string) => page.match(/<[^>]*>/g);
    expect(tags(toHtml(reportOf(text)))).toEqual(tags(toHtml(reportOf('4711'))));
    expect(toHtml(reportOf(text))).not.toMatch(/(?!\n)[\p{C}\p{Zl}\p{Zp}]/u);
  });

  test.each(HOSTILE)('shows %j as text in Markdown', (text) => {
    const page = toMarkdown(reportOf(text));
    const shape = (lines: string) => lines.split('\n').map((line) => line.match(/(?<!\\)\|/g)?.length ?? 0);
    expect(shape(page)).toEqual(shape(toMarkdown(reportOf('4711'))));
    expect(page).not.toMatch(/<|(?<!\\)[[\]`]|https?:|www\.|(?!\n)[\p{C}\p{Zl}\p{Zp}]/u);
  });

  test('forbids script and every request, and its policy allows its own style', () => {
    const page = toHtml(reportOf('4711'));
    const [, style = ''] = /<style>(.*)<\/style>/s.exec(page) ?? [];
    expect(page).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<script|\sstyle=|\son\w+=|https?:/);
  });

  test('says in its first sentences what was hot, when the peak was, and what was lost', () => {
    expect(toHtml(reportOf('4711'))).toContain(
      '1 item was hot. At the peak, 19:00:00, item pages were asked for 0.2 times a second. 10 views were lost.',
    );
  });

  test('says that it does not know, instead of 0', () => {
    const { accounting: _, held: __, rules: ___, ...known } = reportOf('4711');
    const page = toMarkdown({ ...known, items: [], periods: [] });
    for (const sentence of [
      'Whether views were lost is not known',
      'requests saved at the origin',
      'Nothing was hot',
    ])
      expect(page).toContain(sentence);
    expect(page.match(/cannot be read any more/g)).toHaveLength(2);
  });

  test('has times in its zone, also where that changes to summer time within it', () => {
    const from = Date.parse('2026-03-28T22:00:00Z');
    const page = toMarkdown({ ...reportOf('4711'), range: { from, to: from + 6 * 3_600_000 } });
    expect(page.replaceAll('\\', '')).toContain(
      '28 March 2026, 23:00:00 CET to 29 March 2026, 06:00:00 CEST',
    );
  });
});
