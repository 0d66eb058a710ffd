import { createHash } from 'node:crypto';
import { curveCaption, curveSvg } from './curve-svg.ts';
import { html } from './escape.ts';
import { figuresOf, footerOf } from './figures.ts';
import { hotCaption, hotSvg } from './hot-svg.ts';
import type { Report } from './report.ts';
import { type Section, sectionsOf } from './sections.ts';
import { STYLE } from './style.ts';
import { leadOf, type Words, wordsOf } from './words.ts';

const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/** The report as one HTML file that asks for nothing: no script, no other file; its policy forbids both. */
export function toHtml(report: Report): string {
  const words = wordsOf(report);
  const lead = leadOf(report, words);
  const hot =
    report.periods.list.length === 0
      ? ''
      : `<h2>When each item was hot</h2>\n<figure>${hotSvg(report, words)}<figcaption>${html(hotCaption(report))}</figcaption></figure>\n`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>Item views: ${html(words.range)} – hotitem</title><style>${STYLE}</style></head><body>
<header><h1>Item views</h1><p class="when">${html(words.range)}</p></header>
<main><p class="lead"><b>${html(lead.hot)}</b> ${html(lead.rest)}</p>
${report.notes.map(note).join('')}<dl class="figs">${figures(report, words)}</dl>
<h2>The curve</h2>
<figure>${curveSvg(report, words)}<figcaption>${html(curveCaption(report))}</figcaption></figure>
${hot}${sectionsOf(report, words).map(sectionHtml).join('\n')}
</main><footer>${html(footerOf(report, words.time))}</footer></body></html>
`;
}

function figures(report: Report, words: Words): string {
  return figuresOf(report, words)
    .map(
      ({ name, value, beside }) =>
        `<div><dt>${html(name)}</dt><dd><b>${html(value)}</b> ${html(beside)}</dd></div>`,
    )
    .join('');
}

function note(text: string): string {
  return `<p class="note">${html(text)}</p>`;
}

function sectionHtml({ title, columns, rows, none, notes }: Section): string {
  const heading = `<h2>${html(title)}</h2>`;
  const below = notes.map(note).join('');
  if (rows.length === 0) return `${heading}<p class="none">${html(none)}</p>${below}`;
  const classes = columns.map(classOf);
  const head = columns.map((name, i) => `<th scope="col"${classes[i]}>${html(name.replace(/^#/, ''))}</th>`);
  const body = rows.map(
    (cells) => `<tr>${cells.map((cell, i) => cellHtml(cell, i, classes[i] ?? '')).join('')}</tr>`,
  );
  return `${heading}<div class="wrap" tabindex="0" role="region" aria-label="${html(title)}"><table><thead><tr>${head.join('')}</tr></thead><tbody>
${body.join('\n')}
</tbody></table></div>${below}`;
}

function cellHtml(cell: string, nth: number, attribute: string): string {
  return nth === 0 ? `<th scope="row"${attribute}>${html(cell)}</th>` : `<td${attribute}>${html(cell)}</td>`;
}

const TIMES = ['From', 'For', 'First', 'Last'];
const SENTENCES = ['Why', 'Why it would have been hot', 'Details'];

/** Numbers to the right, times in one line, sentences wide, names narrow. */
function classOf(column: string): string {
  if (column.startsWith('#')) return ' class="r"';
  if (TIMES.includes(column)) return ' class="w"';
  return SENTENCES.includes(column) ? ' class="t"' : ' class="n"';
}
