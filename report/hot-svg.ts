import { endOf } from '../store/hot-periods.ts';
import { round } from './curve-svg.ts';
import { html } from './escape.ts';
import type { Report, ReportPeriod } from './report.ts';
import type { Words } from './words.ts';

const WIDTH = 720;
const LEFT = 230;
const RIGHT = 708;
const ROW = 19;
const HALF_LABEL = 24;
const MOST_ROWS = 40;
const LONGEST_NAME = 30;

/** A bar for each hot period, filled where nginx was told to cache the page. The table says the same in words. */
export function hotSvg({ range, periods }: Report, { time, ticks }: Words): string {
  const shown = periods.list.slice(0, MOST_ROWS);
  const bottom = ROW * shown.length + 4;
  const x = (ms: number) =>
    LEFT +
    ((RIGHT - LEFT) * (Math.min(Math.max(ms, range.from), range.to) - range.from)) / (range.to - range.from);
  const grid = ticks.map(({ ms, label }) => {
    const isAtEnd = x(ms) > RIGHT - HALF_LABEL;
    return `<line class="g" x1="${round(x(ms))}" x2="${round(x(ms))}" y1="0" y2="${bottom}"/><text x="${round(x(ms))}" y="${bottom + 14}" text-anchor="${isAtEnd ? 'end' : 'middle'}">${html(label)}</text>`;
  });
  return [
    `<svg viewBox="0 0 ${WIDTH} ${bottom + 18}" role="img" aria-labelledby="hot">`,
    '<title id="hot">When each item was hot; the table below has the numbers</title>',
    ...grid,
    ...shown.map(bar),
    '</svg>',
  ].join('');

  function bar(period: ReportPeriod, nth: number): string {
    const { since, name, item } = period;
    const [begin, end] = [x(since), x(endOf(period, range.to))];
    const y = ROW * nth;
    const label = end + 60 < RIGHT ? { x: end + 5, anchor: 'start' } : { x: begin - 5, anchor: 'end' };
    return [
      `<text class="name" x="0" y="${y + 13}">${html(shortened(name ?? item))}</text>`,
      `<rect class="${isCached(period) ? 'h' : 'hn'}" x="${round(begin)}" y="${y + 4}" width="${round(Math.max(2, end - begin))}" height="11"/>`,
      `<text x="${round(label.x)}" y="${y + 13}" text-anchor="${label.anchor}">${html(time(since).replace(/^.*, /, ''))}</text>`,
    ].join('');
  }
}

export function hotCaption({ periods }: Report): string {
  const more = periods.list.length - MOST_ROWS;
  return `Filled: nginx was told to cache the page. Outlined: it was not. The time is that of the beginning.${more > 0 ? ` The first ${MOST_ROWS} of ${periods.list.length}.` : ''}`;
}

function isCached({ actions, dryRun }: ReportPeriod): boolean {
  return actions.includes('cache') && !dryRun;
}

function shortened(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name;
}
