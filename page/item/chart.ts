import uPlot from 'uplot';
import type { TimeLine } from '../../store/event-questions.ts';
import { count, shortTime } from '../words.ts';

/*
 * The time line of an item: people's views as an area, all as a line; times in which it was hot have a wash and a bar above. A file of its
 * own, which is loaded with the first item that is opened. The numbers are in a table below, for those who do not see it.
 */

export type Drawn = {
  from: number;
  stepMs: number;
  line: TimeLine;
  periods: readonly { since: number; until: number }[];
};

export type Chart = { draw(drawn: Drawn): void };

const HEIGHT = 280;
const LOW_HEIGHT = 200;
const NARROW = 560;
const BAR = 4;
const DAY_S = 86_400;
/** The steps of the axis are whole numbers (1, 2, 5, 10, 20, …), as views are. */
const WHOLE_STEPS = Array.from({ length: 10 }, (_, power) =>
  [1, 2, 5].map((digit) => digit * 10 ** power),
).flat();

export function createChart(host: HTMLElement): Chart {
  let drawn: Drawn | undefined;
  let plot: uPlot | undefined;
  new ResizeObserver(() => plot?.setSize(sizeOf(host))).observe(host);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => plot?.redraw(false));
  return {
    draw(next) {
      drawn = next;
      plot ??= new uPlot(
        optionsOf(host, () => drawn),
        [[], [], []],
        host,
      );
      plot.setData(dataOf(next));
    },
  };
}

function dataOf({ from, stepMs, line }: Drawn): uPlot.AlignedData {
  // A point is at the end of its interval: what it counts has happened by then.
  const times = line.all.map((_, i) => (from + (i + 1) * stepMs) / 1000);
  return [times, line.people, line.all];
}

function sizeOf(host: HTMLElement): { width: number; height: number } {
  const width = Math.max(240, host.clientWidth);
  return { width, height: width < NARROW ? LOW_HEIGHT : HEIGHT };
}

function optionsOf(host: HTMLElement, drawn: () => Drawn | undefined): uPlot.Options {
  const color = (name: string) => () => getComputedStyle(host).getPropertyValue(name).trim();
  const font = `12px ${getComputedStyle(host).fontFamily}`;
  const axis = { stroke: color('--ink-2'), font, ticks: { stroke: color('--rule'), size: 4 } };
  return {
    ...sizeOf(host),
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: true }, y: { range: (_, __, most) => [0, Math.max(1, most * 1.08)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        space: 90,
        values: (_, times, __, ___, step) => timesOf(times, step),
      },
      {
        ...axis,
        grid: { stroke: color('--rule'), width: 1 },
        size: 56,
        incrs: WHOLE_STEPS,
        values: (_, views) => views.map((value) => count(value)),
      },
    ],
    series: [
      {},
      { fill: color('--area'), stroke: color('--rule-2'), width: 1, points: { show: false } },
      { stroke: color('--ink'), width: 1.5, points: { show: false } },
    ],
    hooks: {
      drawClear: [
        (plot) => markPeriods(plot, drawn(), { wash: color('--hot-wash'), bar: color('--hot-line') }),
      ],
    },
  };
}

function markPeriods(
  plot: uPlot,
  drawn: Drawn | undefined,
  { wash, bar }: { wash: () => string; bar: () => string },
): void {
  const { ctx, bbox } = plot;
  for (const { since, until } of drawn?.periods ?? []) {
    const left = Math.max(bbox.left, plot.valToPos(since / 1000, 'x', true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(until / 1000, 'x', true));
    if (!(right >= left)) continue;
    const width = Math.max(2, right - left);
    ctx.fillStyle = wash();
    ctx.fillRect(left, bbox.top, width, bbox.height);
    ctx.fillStyle = bar();
    ctx.fillRect(left, bbox.top - BAR * devicePixelRatio, width, BAR * devicePixelRatio);
  }
}

/** A day's name where a day begins, also on the day that has 23 hours or 25. */
function timesOf(times: number[], step: number): string[] {
  return times.map((time, i) => {
    const before = i === 0 ? undefined : times[i - 1];
    return shortTime(time * 1000, before === undefined ? undefined : before * 1000, step >= DAY_S);
  });
}
