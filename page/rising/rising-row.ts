import type { LiveItem } from '../../heat/live.ts';
import type { RisingAnswer } from '../../sidecar/routes/answers.ts';
import { cell, createItemName, labelled, row, rowHeader } from '../cells.ts';
import { el, setText } from '../dom.ts';
import { createSparkLine } from '../hot/spark-line.ts';
import type { Row } from '../rows.ts';
import { signsOf } from '../signals.ts';
import { count, decimal, timeOfDay } from '../words.ts';

export type Rising = {
  rise: RisingAnswer['items'][number];
  to: number;
  stepMs: number;
  /** While it is hot. */
  hot: LiveItem | undefined;
  /** Whether there is an hour to compare with. */
  isComparable: boolean;
  /** Why it is not hot; undefined if heat detection is off. */
  lacks: string[] | undefined;
};

export function createRisingRow(): Row<Rising> {
  const name = createItemName();
  const times = el('b');
  const [visitors, before] = [el('b'), el('span')];
  const spark = createSparkLine();
  const hot = el('span', { class: 'line' });
  const element = row(
    rowHeader('col-item', name.element),
    labelled('n', 'times', times),
    labelled('n', 'in 10 min', visitors),
    labelled('n', 'hour before', before),
    cell('gap c-spark', spark.element),
    cell('col-why', hot),
  );
  return { element, update };

  function update({ rise, to, stepMs, hot: live, isComparable, lacks }: Rising): void {
    name.update(rise.item, rise.catalogue);
    setText(times, isComparable ? timesOf(rise) : '–');
    setText(visitors, count(rise.visitors));
    setText(before, isComparable || rise.before > 0 ? decimal(rise.before) : '–');
    const last = rise.series.length - 1;
    const since = live && Math.min(...live.decisions.map((decision) => decision.since));
    const label = `${rise.catalogue?.name ?? rise.item}, views by people in the last 70 minutes: ${count(rise.views)} in the last 10`;
    spark.update(
      { all: rise.series, people: rise.series },
      since === undefined ? last : last - (to - since) / stepMs,
      label,
    );
    hot.classList.toggle('hot', live !== undefined);
    setText(hot, live === undefined || since === undefined ? notHot(lacks) : isHot(live, since, to));
  }
}

function timesOf({ visitors, before }: Rising['rise']): string {
  return before === 0 ? 'new' : `${decimal(visitors / before)} ×`;
}

function isHot({ decisions }: LiveItem, since: number, now: number): string {
  return `${signsOf(decisions)} since ${timeOfDay(since, now)}`;
}

function notHot(lacks: string[] | undefined): string {
  if (lacks === undefined) return 'Not known: hot items are not looked for';
  return lacks.length === 0 ? 'Not yet' : `Not yet: ${lacks.join('; ')}`;
}
