import type { LiveSeries } from '../../heat/live.ts';
import { setAttribute, svg } from '../dom.ts';

/** Five minutes of views: people's as an area, all as a line. Where the two part, it is not a crowd. */
export type SparkLine = {
  element: SVGElement;
  /** `hotFrom`: from which point on the item is hot. `label`: the same in words. */
  update(series: LiveSeries, hotFrom: number, label: string): void;
};

const WIDTH = 136;
const HEIGHT = 36;
/** Above the highest point, for the bar over the time in which the item is hot. */
const TOP = 5;

export function createSparkLine(): SparkLine {
  const before = svg('path', { class: 'people' });
  const since = svg('path', { class: 'people-hot' });
  const all = svg('path', { class: 'all' });
  const bar = svg('path', { class: 'bar' });
  const base = svg('path', { class: 'base', d: `M0,${HEIGHT - 0.5}H${WIDTH}` });
  const view = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none' };
  const element = svg('svg', { class: 'spark', role: 'img', ...view }, before, since, bar, all, base);
  return {
    element,
    update(series, hotFrom, label) {
      const highest = Math.max(1, ...series.all);
      const last = Math.max(1, series.all.length - 1);
      const x = (i: number) => round((i / last) * WIDTH);
      const y = (views: number) => round(HEIGHT - 1 - (views / highest) * (HEIGHT - 1 - TOP));
      const line = (counts: number[], from: number) =>
        counts.map((views, i) => `${x(from + i)},${y(views)}`).join('L');
      const area = (from: number, to: number) => {
        if (to <= from || series.people.length === 0) return '';
        const points = line(series.people.slice(from, to + 1), from);
        return `M${x(from)},${HEIGHT - 1}L${points}L${x(to)},${HEIGHT - 1}Z`;
      };
      const cut = Math.min(last, Math.max(0, hotFrom));
      before.setAttribute('d', area(0, cut));
      since.setAttribute('d', area(cut, last));
      bar.setAttribute('d', `M${x(cut)},0H${WIDTH}V2H${x(cut)}Z`);
      all.setAttribute('d', series.all.length === 0 ? '' : `M${line(series.all, 0)}`);
      setAttribute(element, 'aria-label', label);
    },
  };
}

function round(value: number): string {
  return value.toFixed(1);
}
