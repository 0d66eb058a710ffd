import type { HotPeriod } from '../../store/event-questions.ts';
import { cell, labelled, row, rowHeader } from '../cells.ts';
import { el, setText } from '../dom.ts';
import type { Row } from '../rows.ts';
import { signOf } from '../signals.ts';
import { count, decimal, duration, timeOfDay } from '../words.ts';

export type ShownPeriod = {
  period: HotPeriod;
  /** Whether it lasts: the live page says that the item is hot. */
  lasts: boolean;
  now: number;
};

export const keyOfPeriod = ({ period: { node, signal, since } }: ShownPeriod): string =>
  `${since} ${signal} ${node}`;

export function createPeriodRow(): Row<ShownPeriod> {
  const signal = el('span', { class: 'line hot' });
  const [from, until, lasted, most] = [el('time'), el('span'), el('span'), el('span')];
  const [why, node] = [el('span'), el('bdi')];
  const element = row(
    rowHeader('wide-cell', signal),
    labelled('n', 'from', from),
    labelled('n', 'until', until),
    labelled('n', 'for', lasted),
    labelled('n', 'when it turned hot', most),
    cell('col-why wide-cell', why),
    labelled('', 'node', node),
  );
  return { element, update };

  function update({ period, lasts, now }: ShownPeriod): void {
    const { since, until: ended, reason, dryRun, viewsPerSecond, visitors } = period;
    setText(signal, `${signOf(period.signal)}${dryRun ? ', on trial' : ''}`);
    from.dateTime = new Date(since).toISOString();
    setText(from, timeOfDay(since, now));
    setText(until, ended === undefined ? (lasts ? 'now' : 'not recorded') : timeOfDay(ended, now));
    setText(lasted, ended === undefined && !lasts ? '–' : duration((ended ?? now) - since));
    const views = viewsPerSecond === undefined ? [] : [`${decimal(viewsPerSecond)} views/s`];
    setText(
      most,
      [...views, ...(visitors === undefined ? [] : [`${count(visitors)} visitors`])].join(', ') || '–',
    );
    setText(why, reason);
    setText(node, period.node);
  }
}
