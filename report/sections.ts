import type { Report } from './report.ts';
import { doneOf, type Words } from './words.ts';

/** A table, or the sentence that stands in its place. Every cell is plain text, not yet escaped. */
export type Section = {
  title: string;
  /** Names of the columns; `#` before a name: numbers. */
  columns: string[];
  rows: string[][];
  /** Said where there are no rows. */
  none: string;
};

/** All tables of a report, in their order: HTML and Markdown show the same. */
export function sectionsOf(report: Report, words: Words): Section[] {
  return [
    periods(report, words),
    items(report, words),
    accounting(report, words),
    held(report, words),
    rules(report, words),
  ];
}

function periods({ periods }: Report, { time }: Words): Section {
  return {
    title: 'What was hot, and why',
    columns: ['Item', 'Signal', 'From', 'Until', 'Why', 'nginx was told to', 'Rule'],
    rows: periods.map((period) => [
      period.item,
      period.signal,
      time(period.since),
      period.until === undefined ? 'still hot' : time(period.until),
      period.reason,
      doneOf(period),
      period.rule,
    ]),
    none: 'Nothing was hot.',
  };
}

function items({ items }: Report, { number }: Words): Section {
  return {
    title: 'Views by item',
    columns: ['Item', '#Views by people', '#All views', '#Visitors'],
    rows: items.map(({ item, people, all, visitors }) => [
      item,
      number(people),
      number(all),
      number(visitors),
    ]),
    none: 'There were no views.',
  };
}

function accounting({ accounting }: Report, { number, time }: Words): Section {
  const title = 'Loss and lateness';
  const columns = ['What', '#Views', 'When'];
  if (accounting === undefined)
    return { title, columns, rows: [], none: 'Not known: no sidecar answered with its accounting.' };
  const { captured, indexed, dead, lost, lateness } = accounting;
  return {
    title,
    columns,
    rows: [
      ['captured by nginx', number(captured), ''],
      [
        'in the index',
        number(indexed),
        lateness === undefined
          ? ''
          : `half of them after ${number(lateness.medianMs)} ms, 99 % after ${number(lateness.p99Ms)} ms`,
      ],
      ['dead letters', number(dead), ''],
      ...lost.map(({ reason, views, first, last }) => [
        `lost: ${reason}`,
        number(views),
        `${time(first)} to ${time(last)}`,
      ]),
    ],
    none: '',
  };
}

function held({ held }: Report, { time }: Words): Section {
  return {
    title: 'What the cap held back',
    columns: ['Item', 'Signal', 'From', 'Why it would have been hot'],
    rows: (held ?? []).map(({ item, signal, since, reason }) => [item, signal, time(since), reason]),
    none: held === undefined ? 'Not known: the events of this time cannot be read any more.' : 'Nothing.',
  };
}

function rules({ rules }: Report, { number }: Words): Section {
  return {
    title: 'What other rules would have given',
    columns: ['#Busy from, views/s', '#Surge from, S', '#Hot items', '#Held back', '#Requests saved'],
    rows: (rules ?? []).map(({ busyFrom, surprise, hotItems, held, savedRequests }) =>
      [busyFrom, surprise, hotItems, held, savedRequests].map(number),
    ),
    none:
      rules === undefined
        ? 'Not known: the events of this time cannot be read any more.'
        : 'None were tried.',
  };
}
