import { createHash } from 'node:crypto';
import { curveSvg } from './curve-svg.ts';
import { html } from './escape.ts';
import type { Report } from './report.ts';
import { type Section, sectionsOf } from './sections.ts';
import { leadOf, wordsOf } from './words.ts';

const STYLE = `
:root{color-scheme:light dark;--paper:#fbfaf7;--ink:#1b1a18;--ink-2:#4f4c46;--rule:#dedad2;--rule-2:#86817a;--hot:#8f2b05;--hot-line:#c8440f}
@media (prefers-color-scheme:dark){:root{--paper:#131311;--ink:#eeece7;--ink-2:#b5b1a8;--rule:#353330;--rule-2:#837e75;--hot:#ff9f75;--hot-line:#f0723c}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:58rem;padding:2rem 1.5rem 3rem;background:var(--paper);color:var(--ink);font:.875rem/1.45 system-ui,sans-serif;font-variant-numeric:tabular-nums}
h1{font-size:1.75rem;line-height:1.15;margin:0}
h2{font-size:1rem;margin:2rem 0 0;padding-bottom:.35rem;border-bottom:1px solid var(--ink)}
.when,figcaption,dt,thead th{color:var(--ink-2)}
.lead{font-size:1.05rem;max-width:68ch}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.5rem;margin:1.25rem 0}
dd{margin:0;font-size:1.25rem;font-weight:600}
figure{margin:.75rem 0}svg{display:block;width:100%;height:auto}svg text{fill:var(--ink-2);font-size:10.5px}
.g{stroke:var(--rule)}.a{fill:var(--rule-2);fill-opacity:.35}.l{fill:none;stroke:var(--ink);stroke-width:1.2}.h{fill:var(--hot-line)}
.wrap{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.8125rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--rule);overflow-wrap:break-word}
tbody th{min-width:8rem;overflow-wrap:anywhere}
thead th{font-weight:400}.r{text-align:right;white-space:nowrap}
@page{size:A4;margin:14mm}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--ink-2:#333;--rule:#ccc;--rule-2:#888;--hot:#8f2b05;--hot-line:#c8440f}body{max-width:none;padding:0;font-size:9pt;print-color-adjust:exact}
thead{display:table-header-group}tr,figure{break-inside:avoid}h2{break-after:avoid}.wrap{overflow:visible}}
`;
const POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'`;

/** The report as one HTML file that asks for nothing: no script, no other file; its policy forbids both. */
export function toHtml(report: Report): string {
  const words = wordsOf(report);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>Item views: ${html(words.range)} – hotitem</title><style>${STYLE}</style></head><body>
<header><h1>Item views</h1><p class="when">${html(words.range)}</p></header>
<main><p class="lead">${html(leadOf(report, words, report.range.from))}</p>
<dl>${figures(report, words.number)}</dl>
<h2>The curve</h2>
<figure>${curveSvg(report, words)}<figcaption>Views per second: the line is all views, the area those by people; the bar above marks when something was hot.</figcaption></figure>
${sectionsOf(report, words).map(sectionHtml).join('\n')}
</main><footer><p class="when">Made ${html(words.time(report.made))} by hotitem.</p></footer></body></html>
`;
}

function figures({ totals, savedRequests }: Report, number: (value: number) => string): string {
  const known = (value: number | undefined) => (value === undefined ? 'not known' : number(value));
  const rows: [string, string][] = [
    ['Views by people', number(totals.people)],
    ['All views', number(totals.all)],
    ['Visitors, estimated', known(totals.visitors)],
    ['Requests saved at the origin', known(savedRequests)],
  ];
  return rows.map(([name, value]) => `<div><dt>${html(name)}</dt><dd>${html(value)}</dd></div>`).join('');
}

function sectionHtml({ title, columns, rows, none }: Section): string {
  const heading = `<h2>${html(title)}</h2>`;
  if (rows.length === 0) return `${heading}<p>${html(none)}</p>`;
  const right = columns.map((name) => (name.startsWith('#') ? ' class="r"' : ''));
  const head = columns.map((name, i) => `<th scope="col"${right[i]}>${html(name.replace(/^#/, ''))}</th>`);
  const body = rows.map(
    (cells) =>
      `<tr>${cells.map((cell, i) => (i === 0 ? `<th scope="row"${right[i]}>${html(cell)}</th>` : `<td${right[i]}>${html(cell)}</td>`)).join('')}</tr>`,
  );
  return `${heading}<div class="wrap"><table><thead><tr>${head.join('')}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>`;
}
