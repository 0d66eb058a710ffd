import type { Measured } from '../../detect/explain.ts';
import type { ExplainedItem } from '../../heat/hot-list.ts';
import { plainText } from '../../service/plain-text.ts';
import { overrideRow } from './hot-text.ts';
import { nginxText } from './kept-text.ts';

const LONGEST = 300;
const WINDOWS: [keyof Measured['windows'], string][] = [
  ['second', 'last second'],
  ['ten', 'last 10 s'],
  ['minute', 'last minute'],
  ['fiveMinutes', 'last 5 min'],
];

/** Everything known about an item, for a terminal. `now`: ms since 1970. */
export function explainText(
  { item, measured, rule, hot, why, override, nginx }: ExplainedItem,
  now: number,
): string {
  const state = hot.length === 0 ? 'not hot' : `hot: ${hot.map(({ signal }) => signal).join(', ')}`;
  return [
    `${plainText(item, 100)}  ${state} (rule ${plainText(rule.name, 60)})`,
    ...hot.map(({ signal, reason }) => `  ${signal.padEnd(14)}${plainText(reason, LONGEST)}`),
    ...(nginx === undefined ? [] : nginxText(nginx, now).map((sentence) => `  ${sentence}`)),
    ...(override === undefined ? [] : [overrideRow(override)]),
    ...why.map((sentence) => `  ${plainText(sentence, LONGEST)}`),
    ...(measured === undefined ? [] : measuredRows(measured)),
    '',
  ].join('\n');
}

function measuredRows({ windows, baselinePerSecond, shopFactor, surge }: Measured): string[] {
  return [
    `  ${''.padEnd(14)}${'views'.padStart(10)}${'visitors'.padStart(10)}`,
    ...WINDOWS.map(([window, label]) => {
      const { views, visitors, isEstimated } = windows[window];
      return `  ${label.padEnd(14)}${count(views)}${count(visitors)}${isEstimated ? '  estimated' : ''}`;
    }),
    `  baseline ${round(baselinePerSecond)} visitors/s, the shop has ${round(shopFactor)} × its usual visitors`,
    ...surge.map(({ window, newcomers, expected, surprise }) => {
      const label = WINDOWS.find(([name]) => name === window)?.[1] ?? window;
      return `  ${label.padEnd(14)}${count(newcomers)} newcomers, ${round(expected)} expected, S ${round(surprise)}`;
    }),
  ];
}

function count(value: number): string {
  return String(value).padStart(10);
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)));
}
