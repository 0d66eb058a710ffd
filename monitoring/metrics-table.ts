import type { MetricGroup } from './metric-lists.ts';

const BEGIN = '<!-- begin of what `npm run docs` writes -->';
const END = '<!-- end -->';

/** The tables of docs/metrics.md. */
export function metricsTables(groups: readonly MetricGroup[]): string {
  return groups.map(tableOf).join('\n');
}

/** The document with new tables between its two marks. Throws if it has none. */
export function withTables(document: string, tables: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`no ${BEGIN} followed by ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${tables}\n${document.slice(end)}`;
}

function tableOf({ title, by, list, prefix = '' }: MetricGroup): string {
  const rows = Object.entries(list).map(([name, { kind, help, labels = [] }]) => {
    const shown = labels.length > 0 ? `{${labels.join(',')}}` : '';
    return `| \`hotitem_${prefix}${name}${shown}\` | ${kind} | ${help} |\n`;
  });
  return `## ${title}\n\n${by}\n\n| metric | kind | what |\n|---|---|---|\n${rows.join('')}`;
}
