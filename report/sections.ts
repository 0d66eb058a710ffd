import {
  isKnown,
  type Report,
  type ReportLosses,
  type ReportOutcome,
  type ReportPeriod,
  type ReportRules,
  type ReportShoppers,
} from './report.ts';
import { doneOf, durationOf, notKnown, signalOf, visitorsIn, type Words, whyNone } from './words.ts';

/** A table, or the sentence in its place. Every text is plain, not yet escaped. */
export type Section = {
  title: string;
  columns: Column[];
  rows: string[][];
  /** In the place of a table without rows. */
  none: string;
  /** Sentences below it. */
  notes: string[];
};

/** `#`: numbers. */
type Column = string | `#${string}`;

const COMBINATIONS_SHOWN = 5;

/** All tables of a report, in their order: HTML and Markdown show the same. */
export function sectionsOf(report: Report, words: Words): Section[] {
  return [
    periods(report, words),
    items(report, words),
    categories(report, words),
    accounting(report, words),
    held(report, words),
    rules(report, words),
  ];
}

/** The name of an item with its id, or the id. */
export function itemText({ item, name }: { item: string; name?: string }): string {
  return name === undefined ? item : `${name} (${item})`;
}

function periods(report: Report, { number, time }: Words): Section {
  const { periods, saved, range } = report;
  const { list, more } = periods;
  const hasNodes = new Set(list.flatMap(({ nodes }) => nodes)).size > 1;
  const rate = ({ most }: ReportPeriod) => `${number(most.perSecond)} over ${durationOf(most.overMs)}`;
  return {
    title: 'Each hot period, why, and what was done',
    columns: [
      'Item',
      'Signal',
      'From',
      'For',
      'Why',
      '#Most views/s',
      '#Views',
      'nginx was told to',
      '#Saved, at most',
      'Rule',
      ...(hasNodes ? ['Decided by'] : []),
    ],
    rows: list.map((period) => [
      itemText(period),
      signalOf(period.signal),
      time(period.since),
      lengthOf(period, range.to),
      period.reason,
      rate(period),
      number(period.all),
      doneOf(period),
      period.savedAtMost === undefined ? '–' : number(period.savedAtMost),
      period.rule,
      ...(hasNodes ? [period.nodes.join(', ')] : []),
    ]),
    none: 'Nothing was hot.',
    notes: [
      ...(more > 0
        ? [`And ${number(more)} more: these are the ${number(list.length)} with the highest rates.`]
        : []),
      ...(list.some(({ until, lostAt }) => until === undefined && lostAt === undefined)
        ? ['“and on”: it was still hot at the end of this time, or its end was not recorded.']
        : []),
      ...(list.some(({ lostAt }) => lostAt !== undefined)
        ? [
            '“At most”: its end was not recorded, and a day later nothing was told of it any more, or it turned hot again.',
          ]
        : []),
      ...(list.length > 0
        ? [
            `Saved, at most: views while nginx was told to cache the page, less a refresh each ${durationOf(saved.refreshMs)}, which is as seldom as the keeper refreshes a page. Not known: which of these pages nginx could keep, and how many requests it limited then. hotitem does not record that over time.`,
            shoppersWords(report, { number, time }),
          ]
        : []),
    ],
  };
}

/** What nginx counted of the requests for hot items. */
function shoppersWords(
  { saved: { counted } }: Report,
  { number, time }: Pick<Words, 'number' | 'time'>,
): string {
  if (!isKnown(counted))
    return `How many requests nginx answered from its cache is not known: ${counted.unknown}.`;
  const { since, cached, origin, limit, isWithin } = counted;
  const when = isWithin ? '' : ' How many of them in this time is not recorded.';
  return `Of ${number(cached + origin)} requests for hot items since ${time(since)}, nginx of this host answered ${number(cached)} from its cache.${limit === undefined ? '' : ` ${limitWords(limit, number)}`}${when}`;
}

function limitWords(
  { checked, limited, wouldLimit }: NonNullable<ReportShoppers['limit']>,
  number: Words['number'],
): string {
  const of = `${number(checked)} requests that limit.conf checked`;
  if (wouldLimit === 0) return `It limited ${number(limited)} of ${of}.`;
  return `Of ${of} it limited ${number(limited)}, and would have limited ${number(wouldLimit)} if it were not a dry run.`;
}

function lengthOf({ since, until, lostAt }: ReportPeriod, to: number): string {
  if (until !== undefined) return durationOf(until - since);
  return lostAt === undefined ? `${durationOf(to - since)}, and on` : `at most ${durationOf(lostAt - since)}`;
}

function items({ items, totals }: Report, { number }: Words): Section {
  return {
    title: 'By item',
    columns: ['Item', 'Category', '#Views by people', '#All views', '#Visitors'],
    rows: items.map((item) => [
      itemText(item),
      item.category ?? '',
      number(item.people),
      number(item.all),
      visitorsIn(item, number),
    ]),
    none: 'There were no views by people.',
    notes: [
      ...(totals.items > items.length && items.length > 0
        ? [`The ${number(items.length)} most viewed of ${number(totals.items)} items.`]
        : []),
      ...(items.some(({ category }) => category !== undefined)
        ? ['The category that an item has in the catalogue of today.']
        : []),
    ],
  };
}

function categories({ categories, totals }: Report, { number }: Words): Section {
  const isNamed = categories.some(({ category }) => category !== '');
  return {
    title: 'By category',
    columns: ['Category', '#Views by people', '#Share', '#All views', '#Visitors'],
    rows: isNamed
      ? categories.map(({ category, people, all, ...counted }) => [
          category === '' ? '(none)' : category,
          number(people),
          `${Math.round((100 * people) / Math.max(1, totals.people))}%`,
          number(all),
          visitorsIn(counted, number),
        ])
      : [],
    none:
      totals.all === 0
        ? 'There were no views.'
        : 'Not known: the views of this time were indexed without a catalogue.',
    notes: isNamed ? ['The category that an item had when its view was indexed.'] : [],
  };
}

function accounting({ accounting, totals }: Report, { number, time }: Words): Section {
  const { waiting, inKafka, dead, lost, lateness } = accounting;
  const indexed = ['In the index', number(totals.all), lateWords(lateness, number)];
  return {
    title: 'Loss and lateness',
    columns: ['What', '#Views', 'Details'],
    rows: [
      ['Captured by nginx', 'not known', 'nginx counts since its start, not by time: hotitem status'],
      indexed,
      waitingRow(waiting, 'in the spool of this host', number),
      ...(inKafka === undefined ? [] : [waitingRow(inKafka, 'in Kafka, for the sinks', number)]),
      isKnown(dead)
        ? [
            'Dead letters',
            number(dead.events),
            dead.reasons.map(({ reason, events }) => `${number(events)}: ${reason}`).join('; ') || '–',
          ]
        : ['Dead letters', 'not known', dead.unknown],
      ...(isKnown(lost) ? lostRows(lost, { number, time }) : [['Lost', 'not known', lost.unknown]]),
    ],
    none: '',
    notes: [
      'Dead letters are kept and can be delivered again: hotitem dead-letters. Losses are those that the services of this host recorded.',
      'Not known: how long after its view each event was in the index.',
    ],
  };
}

function waitingRow(
  waiting: Report['accounting']['waiting'],
  where: string,
  number: Words['number'],
): string[] {
  if (!isKnown(waiting)) return ['On the way', 'not known', `${where}: ${waiting.unknown}`];
  return ['On the way', number(waiting.events), `${where}, when this was made; views of any time`];
}

function lateWords(lateness: Report['accounting']['lateness'], number: Words['number']): string {
  if (!isKnown(lateness)) return `how late is not known: ${lateness.unknown}`;
  const { log, views, medianMs, p99Ms, longestMs } = lateness;
  return `in ${log}: half within ${durationOf(medianMs)} of the view, 99% within ${durationOf(p99Ms)}, the last after ${durationOf(longestMs)} (${number(views)} views)`;
}

function lostRows(
  { list, earlier, notAsked }: ReportLosses,
  { number, time }: Pick<Words, 'number' | 'time'>,
): string[][] {
  const rows = list.map(({ why, views, first, last, isWithin }) => [
    'Lost',
    `${isWithin ? '' : 'up to '}${number(views)}`,
    `${why}; from ${time(first)} to ${time(last)}${isWithin ? '' : ', partly outside of this time'}`,
  ]);
  const before =
    earlier === 0 ? [] : [['Lost', `up to ${number(earlier)}`, 'earlier; when exactly is not recorded']];
  const missing = notAsked.map((what) => ['Lost', 'not known', what]);
  const all = [...rows, ...before, ...missing];
  return all.length === 0 ? [['Lost', '0', '–']] : all;
}

function held({ held, periods }: Report, { number, time }: Words): Section {
  const { list, more } = held;
  const used = `The most items that were hot at once by one signal: ${number(periods.mostAtOnce)}; heat.cap is ${number(periods.cap)} now.`;
  return {
    title: 'What the cap held back',
    columns: ['Item', 'Signal', 'First recorded', 'Last recorded', '#Times', 'Why it would have been hot'],
    rows: list.map((one) => [
      itemText(one),
      signalOf(one.signal),
      time(one.first),
      time(one.last),
      number(one.times),
      one.reason,
    ]),
    none: `Nothing was recorded as held back. ${used}`,
    notes: [
      ...(more > 0 ? [`And ${number(more)} more.`] : []),
      ...(list.length > 0
        ? [
            `${used} It is recorded when the cap begins to hold an item back, once a minute at most, and of a hundred items at once: more may have been held back, and for longer.`,
          ]
        : []),
    ],
  };
}

function rules({ rules }: Report, { number, time }: Words): Section {
  const title = 'Rules that would have helped';
  const columns = [
    'Change',
    '#Saved, at a refresh a second',
    '#Busy items',
    '#Minutes',
    '#Surge items',
    '#Minutes',
    '#Held back',
  ];
  if (!isKnown(rules)) return { title, columns, rows: [], none: notKnown(rules), notes: [] };
  const { inForce, grid, views } = rules;
  const better = grid
    .filter((cell) => cell.saved > inForce.saved || cell.held < inForce.held)
    .sort((a, b) => b.saved - a.saved || a.held - b.held);
  const row = (change: string, { saved, busy, surge, held }: ReportOutcome) => [
    change,
    number(saved),
    number(busy.items),
    number(busy.minutes),
    number(surge.items),
    number(surge.minutes),
    number(held),
  ];
  return {
    title,
    columns,
    rows:
      views === 0 || better.length === 0
        ? []
        : [
            row('none: the rules of now', inForce),
            ...better
              .slice(0, COMBINATIONS_SHOWN)
              .map((cell) =>
                row(
                  `busy from ${number(cell.busyFrom)} views/s, surge from a surprise of ${number(cell.surprise)}`,
                  cell,
                ),
              ),
          ],
    none:
      views === 0
        ? notKnown({ unknown: whyNone(rules) })
        : `None: of ${number(grid.length)} combinations of thresholds, none would have saved more, or held back less.`,
    notes: views === 0 ? damageWords(rules) : [triedWords(rules, { number, time }), ...doubts(rules, time)],
  };
}

function triedWords(
  { source, views, span, grid }: ReportRules,
  { number, time }: Pick<Words, 'number' | 'time'>,
): string {
  const when = span === undefined ? '' : `, from ${time(span.from)} to ${time(span.to)}`;
  return `From the ${number(views)} views in ${source}${when}: the hours around the peak at most. They were passed through ${number(grid.length)} ${grid.length === 1 ? 'combination' : 'combinations'} of thresholds; what heat.rules sets for some items stays. The surprise of a surge says how little chance explains it. Saved assumes a refresh a second of each page, where the hot periods above assume as few as the keeper makes. More saved costs more items in the cache for longer. Pins and bans by command are not known here.`;
}

function damageWords({ damage }: Pick<ReportRules, 'damage'>): string[] {
  return damage === undefined ? [] : [`A part could not be read: ${damage}.`];
}

function doubts(rules: ReportRules, time: Words['time']): string[] {
  const { isCut, span } = rules;
  return [
    ...(isCut
      ? [
          'It was stopped when the time for it was over: what was recorded later was not tried (--rules-seconds).',
        ]
      : []),
    ...damageWords(rules),
    ...(span !== undefined && span.surgesFrom > span.from
      ? [`No surge is found before ${time(span.surgesFrom)}: the first three minutes tell what is usual.`]
      : []),
  ];
}
