import type { BacktestOutcome, GridOutcome, HeldItem, Spell } from '../detect/backtest.ts';
import type { PastCounts } from '../heat/past-events.ts';
import { plainText } from '../service/plain-text.ts';
import { isoTime } from '../status/iso-time.ts';
import { number } from './numbers.ts';

/** What `hotitem backtest --json` prints. */
export type BacktestAnswer = {
  log: string;
  /** The file of rules; null without one. */
  rules: string | null;
  cap: number;
  /** What is there and could not be read. */
  damage?: string;
  counts: PastCounts;
  found?: BacktestOutcome;
  grid?: GridOutcome[];
};

const ITEM_WIDTH = 40;
const SHOWN = 100;

export function backtestText(answer: BacktestAnswer): string {
  const { log, rules, cap, counts, damage, found, grid } = answer;
  return [
    log,
    `  rules         ${rules ?? 'none: the defaults'}; at most ${cap} items at once by each signal`,
    ...readLinesOf(counts),
    ...(damage === undefined ? [] : [`  damage        ${damage}`]),
    '',
    ...(found === undefined ? [] : foundLines(found)),
    ...(grid === undefined ? [] : gridLines(grid)),
    '',
  ].join('\n');
}

function readLinesOf(counts: PastCounts): string[] {
  const { events, views, bots, unknownVisitors, nodes, bad, badExamples } = counts;
  const left: [number, string][] = [
    [counts.outside, 'outside of the time'],
    [counts.noViews, 'no views (prefetches, HEAD, parts, tests)'],
    [counts.otherNodes, 'of other nodes'],
    [counts.duplicates, 'twice'],
    [counts.ahead, 'from a time to come'],
  ];
  return [
    `  read          ${number(events)} events: ${number(views)} views, ${number(bots)} of them by bots`,
    ...left.filter(([count]) => count > 0).map(([count, what]) => `  left out      ${number(count)} ${what}`),
    ...(unknownVisitors === 0
      ? []
      : [`  visitors      unknown for ${number(unknownVisitors)} views: these count as load, not as people`]),
    ...(nodes.length > 1
      ? [
          `  nodes         ${number(nodes.length)}, seen together; a sidecar decides by its own views: --node NAME`,
        ]
      : []),
    ...(bad === 0 ? [] : [`  no events     ${number(bad)}`]),
    ...badExamples.map(({ place, reason }) => `    ${plainText(place, 80)}: ${plainText(reason, 200)}`),
  ];
}

function foundLines({ spells, held, untold, saved, stats, span, surgesFrom }: BacktestOutcome): string[] {
  if (span === undefined || stats === undefined) return ['no views, so nothing was hot'];
  const late =
    stats.late === 0
      ? []
      : [
          `${number(stats.late)} views came five minutes or more behind later ones and did not count: are the events in the order of time?`,
        ];
  return [
    `${isoTime(span.from)} to ${isoTime(span.to)}`,
    ...late,
    ...(surgesFrom !== undefined && surgesFrom > span.from
      ? [`no surge is found before ${isoTime(surgesFrom)}: the first three minutes tell what is usual`]
      : []),
    '',
    `hot: ${number(spells.length + untold.spells)}`,
    ...spells.slice(0, SHOWN).flatMap((spell) => spellLines(spell, span.to)),
    ...more(spells.length + untold.spells),
    '',
    `held back by the cap: ${untold.held ? 'more than ' : ''}${number(held.length)}`,
    ...held.slice(0, SHOWN).map(heldLine),
    ...more(held.length),
    '',
    `the cache would have saved the origin ${number(saved.requests)} requests: ${number(saved.views)} views of hot items, less ${number(saved.refreshes)} refreshes`,
    'One refresh a second keeps a copy of two seconds fresh while an item is hot. It is the most that can be saved: a page that differs by visitor is not cached.',
  ];
}

function spellLines(
  { item, signal, dryRun, since, until, reason, rule, views, saved }: Spell,
  end: number,
): string[] {
  const how = `${signal}${dryRun ? ', dry run' : ''}, rule ${plainText(rule, 40)}`;
  const length = until === undefined ? `${seconds(since, end)} and at the end still` : seconds(since, until);
  const spared = saved === undefined ? '' : `, ${number(saved.requests)} requests saved`;
  return [
    `  ${plainText(item, ITEM_WIDTH)}  ${how}`,
    `    from ${isoTime(since)} for ${length}: ${number(views)} views${spared}`,
    `    ${plainText(reason, 300)}`,
  ];
}

function heldLine({ item, signal, since, reason }: HeldItem): string {
  return `  ${plainText(item, ITEM_WIDTH)}  ${signal} from ${isoTime(since)}: ${plainText(reason, 300)}`;
}

function gridLines(cells: GridOutcome[]): string[] {
  const head = [
    'busy from/s',
    'S from',
    'busy items',
    'minutes',
    'surge items',
    'minutes',
    'held back',
    'requests saved',
  ];
  const rows = cells.map(({ busyFrom, surprise, busy, surge, held, saved }) => [
    String(busyFrom),
    String(surprise),
    number(busy.items),
    busy.minutes.toFixed(1),
    number(surge.items),
    surge.minutes.toFixed(1),
    number(held),
    number(saved),
  ]);
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  return [head, ...rows].map((row) => row.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('  '));
}

function more(count: number): string[] {
  return count > SHOWN ? [`  … and ${number(count - SHOWN)} more: --json`] : [];
}

function seconds(from: number, to: number): string {
  return `${number(Math.round((to - from) / 1_000))} s`;
}
