import type { LiveHead, LiveItem, LiveSeries } from '../../heat/live.ts';
import { hashOfItem } from '../address.ts';
import { cell, labelled, metaOf, row, rowHeader } from '../cells.ts';
import { controlCell } from '../control-cell.ts';
import { el, setLines, setText } from '../dom.ts';
import type { Row } from '../rows.ts';
import { signalOf, signsOf } from '../signals.ts';
import { count, duration, perSecond, timeOfDay } from '../words.ts';
import { doesOf } from './does-text.ts';
import { createSparkLine } from './spark-line.ts';

export type ShownHot = {
  item: LiveItem;
  head: LiveHead;
  place: number;
  /** Places that it went up in the last minute; negative: down. Undefined: it was not hot then. */
  moved?: number | undefined;
};

const FIVE_MS = 5_000;
/** So long it is marked as new. */
const NEW_MS = 120_000;

export function createHotRow(item: string): Row<ShownHot> {
  const place = el('span', { class: 'place' });
  const name = el('bdi');
  const id = el('bdi', { class: 'meta' });
  const move = el('span', { class: 'move' });
  const signals = el('span', { class: 'line' });
  const [people10, all10, people60, all60] = [rate(), rate(), rate(), rate()];
  const visitors = el('b');
  const spark = createSparkLine();
  const most = el('span', { class: 'meta' });
  const since = el('time');
  const lasts = el('span', { class: 'meta' });
  const why = labelled('col-why', 'why, when it turned hot');
  const does = cell('col-does');
  const element = row(
    cell('c-place', place, move),
    rowHeader('col-item', el('a', { class: 'name', href: hashOfItem(item) }, name), id, signals),
    labelled('n c-people', 'people, 10 s', people10.element),
    labelled('n c-all', 'all, 10 s', all10.element),
    cell('n gap c-minute', people60.element),
    cell('n c-minute', all60.element),
    labelled('n c-visitors', 'visitors, 10 s', visitors),
    cell('gap c-spark', spark.element, most),
    cell('n c-since', since, lasts),
    why,
    does,
    controlCell(item),
  );
  return { element, update };

  function update({ item: live, head, ...context }: ShownHot): void {
    const { ten, minute, decisions, series, catalogue = {} } = live;
    const began = Math.min(...decisions.map((decision) => decision.since));
    const age = head.now - began;
    element.classList.toggle('new', age < NEW_MS);
    setText(place, count(context.place));
    setText(name, catalogue.name ?? item);
    setText(id, metaOf(item, catalogue));
    setText(move, moveOf(context.moved));
    setText(signals, signsOf(decisions));
    signals.classList.toggle(
      'hot',
      decisions.some(({ signal }) => signalOf(signal).isHot),
    );
    people10.set(ten.people, 10);
    all10.set(ten.all, 10);
    people60.set(minute.people, 60);
    all60.set(minute.all, 60);
    setText(visitors, count(ten.visitors));
    const highest = Math.max(0, ...series.all);
    const points = series.all.length;
    const label =
      `${catalogue.name ?? item}, views by everybody in the last five minutes: now ${perSecond(ten.all, 10)} a second, ` +
      `at most ${perSecond(highest, 5)} a second over 5 s`;
    spark.update(withoutGrowing(series, ten), points - 1 - age / FIVE_MS, label);
    setText(most, `at most ${perSecond(highest, 5)}/s over 5 s`);
    since.dateTime = new Date(began).toISOString();
    setText(since, timeOfDay(began, head.now));
    setText(lasts, `${age < NEW_MS ? 'new, ' : ''}for ${duration(age)}`);
    setLines(
      why,
      decisions.map(({ reason }) => reason),
    );
    setLines(does, doesOf(live, head));
  }
}

/** The last count is still growing: in its place stands what came in as many seconds, on average of the last ten. */
function withoutGrowing({ all, people }: LiveSeries, ten: LiveItem['ten']): LiveSeries {
  if (all.length === 0) return { all, people };
  return { all: [...all.slice(0, -1), ten.all / 2], people: [...people.slice(0, -1), ten.people / 2] };
}

function moveOf(moved: number | undefined): string {
  if (moved === undefined) return '';
  if (moved === 0) return 'same';
  return moved > 0 ? `▲ up ${count(moved)}` : `▼ down ${count(-moved)}`;
}

function rate(): { element: HTMLElement; set(views: number, seconds: number): void } {
  const number = el('b');
  const element = el('span', {}, number, el('span', { class: 'unit' }, '/s'));
  return { element, set: (views, seconds) => setText(number, perSecond(views, seconds)) };
}
