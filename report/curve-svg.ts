import { html } from './escape.ts';
import { peakOf, type Rate, ratesOf } from './rates.ts';
import type { Report } from './report.ts';
import { durationOf, type Words } from './words.ts';

const WIDTH = 720;
const HEIGHT = 210;
const LEFT = 52;
const RIGHT = 628;
const TOP = 36;
const BOTTOM = 186;
/** Horizontal lines. */
const LINES = 4;
const BELOW = 15;

/** Views a second over time: an area for people, a line for all, the peak with its number. */
export function curveSvg(report: Report, { number, time, ticks }: Words): string {
  const { range } = report;
  const rates = ratesOf(report);
  const peak = peakOf(rates);
  const most = peak?.all ?? 0;
  const { top, lines } = scaleOf(most);
  const x = (ms: number) => LEFT + ((RIGHT - LEFT) * (ms - range.from)) / (range.to - range.from);
  const y = (perSecond: number) => BOTTOM - ((BOTTOM - TOP) * perSecond) / top;
  const middle = ({ from, ms }: Rate) => from + ms / 2;
  const path = (by: 'people' | 'all') =>
    rates.map((one) => `${round(x(middle(one)))},${round(y(one[by]))}`).join('L');
  const grid = lines.map(
    (line) =>
      `<line class="g" x1="${LEFT}" x2="${RIGHT}" y1="${round(y(line))}" y2="${round(y(line))}"/><text x="${LEFT - 6}" y="${round(y(line) + 4)}" text-anchor="end">${html(number(line))}</text>`,
  );
  const times = ticks.map(
    ({ ms, label }) =>
      `<text x="${round(x(ms))}" y="${BOTTOM + BELOW}" text-anchor="middle">${html(label)}</text>`,
  );
  const title = `Views per second: at most ${number(most)}, at ${time(peak?.from ?? range.from)}`;
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="curve">`,
    `<title id="curve">${html(title)}</title>`,
    ...grid,
    ...times,
    ...(most === 0 ? [] : shapes()),
    '</svg>',
  ].join('');

  function shapes(): string[] {
    const [first, last] = [rates[0], rates.at(-1)];
    if (first === undefined || last === undefined || peak === undefined) return [];
    const [begin, end] = [round(x(middle(first))), round(x(middle(last)))];
    const top = round(x(middle(peak)));
    const isRight = x(middle(peak)) > (LEFT + RIGHT) / 2;
    return [
      `<path class="a" d="M${begin},${BOTTOM}L${path('people')}L${end},${BOTTOM}Z"/>`,
      `<path class="l" d="M${path('all')}"/>`,
      `<line class="m" x1="${top}" x2="${top}" y1="${round(y(most))}" y2="${round(y(most) - 10)}"/>`,
      `<text class="s" x="${isRight ? Number(top) - 6 : Number(top) + 6}" y="${round(y(most) - 5)}" text-anchor="${isRight ? 'end' : 'start'}">${html(`most: ${number(most)}/s at ${time(peak.from)}`)}</text>`,
      `<text class="s" x="${RIGHT + 8}" y="${BOTTOM - 18}">${html(`all ${number(last.all)}/s`)}</text>`,
      `<text x="${RIGHT + 8}" y="${BOTTOM - 3}">${html(`people ${number(last.people)}/s`)}</text>`,
    ];
  }
}

export function curveCaption({ curve }: Report): string {
  return `Views/s, in intervals of ${durationOf(curve.stepMs)}. Grey area: by people. Line: all.`;
}

/** Round numbers up to `most` or a little more. */
function scaleOf(most: number): { top: number; lines: number[] } {
  const rough = Math.max(most, 0.1) / LINES;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * ten).find((length) => length >= rough) ?? rough;
  const count = Math.ceil(Math.max(most, 0.1) / step);
  return { top: step * count, lines: Array.from({ length: count + 1 }, (_, i) => i * step) };
}

export function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
