import { markdown } from './escape.ts';
import type { Report } from './report.ts';
import { type Section, sectionsOf } from './sections.ts';
import { leadOf, wordsOf } from './words.ts';

/** The report in GitHub's Markdown. */
export function toMarkdown(report: Report): string {
  const words = wordsOf(report);
  const { people, all, visitors } = report.totals;
  const figures = [
    `${words.number(people)} views by people`,
    `${words.number(all)} views in all`,
    ...(visitors === undefined ? [] : [`about ${words.number(visitors)} visitors`]),
    report.savedRequests === undefined
      ? 'requests saved at the origin: not known'
      : `${words.number(report.savedRequests)} requests saved at the origin`,
  ];
  return [
    '# Item views',
    markdown(words.range),
    markdown(leadOf(report, words, report.range.from)),
    figures.map((figure) => `- ${markdown(figure)}`).join('\n'),
    ...sectionsOf(report, words).map(sectionText),
    '',
  ].join('\n\n');
}

function sectionText({ title, columns, rows, none }: Section): string {
  if (rows.length === 0) return `## ${markdown(title)}\n\n${markdown(none)}`;
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [
    `## ${markdown(title)}`,
    '',
    line(columns.map((name) => markdown(name.replace(/^#/, '')))),
    line(columns.map((name) => (name.startsWith('#') ? '---:' : '---'))),
    ...rows.map((cells) => line(cells.map(markdown))),
  ].join('\n');
}
