import { markdown } from './escape.ts';
import { figuresOf, footerOf } from './figures.ts';
import type { Report } from './report.ts';
import { type Section, sectionsOf } from './sections.ts';
import { leadOf, wordsOf } from './words.ts';

/** The report in GitHub's Markdown, without the curve. */
export function toMarkdown(report: Report): string {
  const words = wordsOf(report);
  const { hot, rest } = leadOf(report, words);
  const figures = figuresOf(report, words).map(
    ({ name, value, beside }) => `- ${markdown(`${name}: ${value}`)} ${markdown(`(${beside})`)}`,
  );
  return `${[
    '# Item views',
    markdown(words.range),
    `**${markdown(hot)}** ${markdown(rest)}`,
    ...report.notes.map(markdown),
    figures.join('\n'),
    ...sectionsOf(report, words).map(sectionText),
    markdown(footerOf(report, words.time)),
  ].join('\n\n')}\n`;
}

function sectionText({ title, columns, rows, none, notes }: Section): string {
  const below = notes.map(markdown);
  if (rows.length === 0) return [`## ${markdown(title)}`, markdown(none), ...below].join('\n\n');
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const table = [
    line(columns.map((name) => markdown(name.replace(/^#/, '')))),
    line(columns.map((name) => (name.startsWith('#') ? '---:' : '---'))),
    ...rows.map((cells) => line(cells.map(markdown))),
  ];
  return [`## ${markdown(title)}`, table.join('\n'), ...below].join('\n\n');
}
