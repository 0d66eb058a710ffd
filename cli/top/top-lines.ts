import type { LiveDecision, LiveItem, LiveSnapshot } from '../../heat/live.ts';
import { ranked } from '../../page/live-state.ts';
import { limitText } from '../../page/requests-text.ts';
import { plainText } from '../../service/plain-text.ts';
import { isoTime } from '../../status/iso-time.ts';
import { durationText } from '../hot/hot-text.ts';
import { refreshedText } from '../hot/kept-text.ts';
import { itemWithName } from '../item-name.ts';
import { number } from '../numbers.ts';
import { cell, columnsOf } from '../screen/columns.ts';
import type { Line, Piece } from '../screen/styled.ts';

export type TopView = {
  state: LiveSnapshot;
  /** Why the numbers are old, and since when; absent while they are live. */
  stale?: { since: number; reason: string };
  /** Columns of the terminal, and rows for the lines. */
  columns: number;
  rows: number;
};

const NAME = 24;
const GAP = '  ';
const INDENT = '    ';

/** The table of hot items: the most views by people first. What does not fit into the rows is counted. */
export function topLines({ state, stale, columns, rows }: TopView): Line[] {
  const { head, items } = state;
  const top = [...headLines(state, stale), [], headingLine()];
  const blocks = ranked(items).map((item, i) => itemLines(item, i + 1, head.now, columns));
  if (blocks.length === 0) return [...top.slice(0, -1), nothingLine(head.busiest)];
  const shown: Line[] = [];
  let count = 0;
  for (const block of blocks) {
    const isLast = count === blocks.length - 1;
    if (top.length + shown.length + block.length + (isLast ? 0 : 1) > rows) break;
    shown.push(...block);
    count++;
  }
  const more = blocks.length - count;
  return [...top, ...shown, ...(more === 0 ? [] : [[dim(`… and ${number(more)} more`)]])];
}

function headLines({ head, items }: LiveSnapshot, stale: TopView['stale']): Line[] {
  const { node, now, shop, held, cap, learning, frozen, failure, rulesProblems } = head;
  const heldBack = held === 0 ? '' : `, ${number(held)} held back by the cap of ${number(cap)}`;
  return [
    ...(stale === undefined
      ? []
      : [[{ text: `stale since ${isoTime(stale.since)}: ${stale.reason}`, style: 'inverse' as const }]]),
    [
      { text: plainText(node, 60), style: 'bold' },
      { text: `${GAP}${isoTime(now)}${GAP}${number(items.length)} hot${heldBack}` },
      dim(`${GAP}shop: ${rate(shop.people)} views/s by people, ${rate(shop.all)} in all`),
    ],
    ...(frozen === undefined
      ? []
      : [[warning(`frozen since ${isoTime(frozen.since)}: hotitem hot list says by whom and why`)]]),
    ...(failure === undefined ? [] : [[warning('nginx does not see hot items: hotitem status says why')]]),
    ...(rulesProblems === 0
      ? []
      : [[warning('the rules file is invalid, the previous rules stay in effect')]]),
    ...(learning === undefined ? [] : [[dim(`no surge is detected for another ${number(learning)} s`)]]),
  ];
}

function headingLine(): Line {
  return [
    dim(
      `${cell('#', 3, 'right')} ${cell('ITEM', NAME)}${numbers(['PEOPLE/s', 'ALL/s', '1 MIN/s', 'VISITORS'])}${GAP}${cell('SINCE', 7)}${GAP}SIGNAL`,
    ),
  ];
}

function itemLines(item: LiveItem, rank: number, now: number, columns: number): Line[] {
  const { ten, minute, decisions } = item;
  const since = Math.min(...decisions.map((decision) => decision.since));
  const isDryRun = decisions.every(({ dryRun }) => dryRun);
  const figures = [rate(ten.people), rate(ten.all), rate(minute.people, 60), number(ten.visitors)];
  const signals = decisions.map(({ signal }) => signal).join(', ');
  const reasons = [...new Set(decisions.map(({ reason }) => plainText(reason, 300)))].join('; ');
  const does = nginxDoes(item, now);
  const first: Line = [
    { text: `${cell(String(rank), 3, 'right')} ` },
    { text: cell(plainText(itemWithName(item.item, item.catalogue?.name), 200), NAME), style: 'bold' },
    { text: `${numbers(figures)}${GAP}${cell(durationText(now - since), 7)}${GAP}` },
    { text: isDryRun ? `${signals} (dry run)` : signals, style: 'hot' },
  ];
  if (columnsOf(INDENT + reasons + GAP + does) <= columns)
    return [first, [{ text: `${INDENT}${reasons}${GAP}` }, dim(does)]];
  return [first, [{ text: `${INDENT}${reasons}` }], [dim(`${INDENT}${does}`)]];
}

/** In one sentence; a reason may contain words of the application. */
function nginxDoes(item: LiveItem, now: number): string {
  const { problem, limit } = item;
  if (problem !== undefined) return `nginx cannot act: ${plainText(problem, 100)}`;
  const told = nginxIsTold(item, now);
  return limit === undefined ? told : `${told}; ${limitText(limit, String)}`;
}

function nginxIsTold({ decisions, page }: LiveItem, now: number): string {
  if (page !== undefined) {
    const reason = page.reason === undefined ? '' : plainText(page.reason, 200);
    if (page.state !== 'kept' || page.refreshedAt === undefined) return `nginx: not cached: ${reason}`;
    return `nginx: ${refreshedText(now - page.refreshedAt, reason)}`;
  }
  const actions = actionsOf(decisions);
  return actions.length === 0 ? 'nginx does nothing' : `nginx is told: ${actions.join(', ')}`;
}

function actionsOf(decisions: LiveDecision[]): string[] {
  return [...new Set(decisions.filter(({ dryRun }) => !dryRun).flatMap(({ actions }) => actions))];
}

function nothingLine(busiest: LiveSnapshot['head']['busiest']): Line {
  if (busiest === undefined) return [{ text: 'no item is hot' }];
  const { item, catalogue, people, visitors } = busiest;
  return [
    {
      text: `no item is hot; the busiest is ${plainText(itemWithName(item, catalogue?.name), 80)}: ${rate(people)} views/s by people, ${number(visitors)} visitors in 10 s`,
    },
  ];
}

function numbers(texts: string[]): string {
  return texts.map((text) => cell(text, 10, 'right')).join('');
}

/** Views a second, of `views` in `seconds`. */
function rate(views: number, seconds = 10): string {
  return number(views / seconds, 1);
}

function dim(text: string): Piece {
  return { text, style: 'dim' };
}

function warning(text: string): Piece {
  return { text, style: 'inverse' };
}
