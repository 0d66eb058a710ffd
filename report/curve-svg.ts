import { html } from './escape.ts';
import type { Report } from './report.ts';
import type { Words } from './words.ts';

const WIDTH = 720;
const HEIGHT = 210;
const LEFT = 48;
const RIGHT = 708;
const TOP = 24;
const BOTTOM = 180;
const TICKS = 4;

/** The views per second: an area for people, a line for all, and a bar over the time in which something was hot. */
export function curveSvg({ curve, range, periods }: Report, { number, time }: Words): string {
  const perSecond = (views: number) => (views / curve.stepMs) * 1_000;
  const most = Math.max(1, ...curve.all.map(perSecond), ...curve.people.map(perSecond));
  const x = (ms: number) => LEFT + ((RIGHT - LEFT) * (ms - range.from)) / (range.to - range.from);
  const y = (rate: number) => BOTTOM - ((BOTTOM - TOP) * rate) / most;
  const path = (views: number[]) =>
    views
      .map((count, i) => `${round(x(range.from + (i + 0.5) * curve.stepMs))},${round(y(perSecond(count)))}`)
      .join('L');
  const grid = Array.from({ length: TICKS + 1 }, (_, i) => {
    const rate = (most * i) / TICKS;
    return `<line class="g" x1="${LEFT}" x2="${RIGHT}" y1="${round(y(rate))}" y2="${round(y(rate))}"/><text x="${LEFT - 6}" y="${round(y(rate) + 4)}" text-anchor="end">${html(number(Math.round(rate)))}</text>`;
  });
  const times = Array.from({ length: TICKS + 1 }, (_, i) => {
    const ms = range.from + ((range.to - range.from) * i) / TICKS;
    const anchor = i === 0 ? 'start' : i === TICKS ? 'end' : 'middle';
    return `<text x="${round(x(ms))}" y="${BOTTOM + 16}" text-anchor="${anchor}">${html(time(ms))}</text>`;
  });
  const hot = periods.map(({ since, until = range.to }) => {
    const [from, to] = [Math.max(since, range.from), Math.min(until, range.to)];
    return `<rect class="h" x="${round(x(from))}" y="8" width="${round(Math.max(1, x(to) - x(from)))}" height="4"/>`;
  });
  const [first, last] = [
    x(range.from + curve.stepMs / 2),
    x(range.from + (curve.people.length - 0.5) * curve.stepMs),
  ];
  const shapes =
    curve.all.length === 0
      ? []
      : [
          `<path class="a" d="M${round(first)},${BOTTOM}L${path(curve.people)}L${round(last)},${BOTTOM}Z"/>`,
          `<path class="l" d="M${path(curve.all)}"/>`,
        ];
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="curve">`,
    `<title id="curve">Item views per second, at most ${html(number(most))}</title>`,
    ...grid,
    ...times,
    ...shapes,
    ...hot,
    '</svg>',
  ].join('');
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
