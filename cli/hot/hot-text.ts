import type { ShownDecision, WholeHotList } from '../../heat/hot-list.ts';
import type { Override } from '../../heat/overrides.ts';
import { limitText } from '../../page/requests-text.ts';
import { plainText } from '../../service/plain-text.ts';
import { isoTime } from '../../status/iso-time.ts';
import { keptText } from './kept-text.ts';

const LONGEST_ITEM = 60;
const LONGEST_REASON = 300;

/** The hot list for a terminal. Item names are untrusted text. */
export function hotText(list: WholeHotList): string {
  const { frozen, failure, keeperFailure, hot, held, overrides, rules, now } = list;
  return [
    ...(frozen === undefined
      ? []
      : [
          `frozen since ${isoTime(frozen.since)} by ${plainText(frozen.by, 60)}: ${plainText(frozen.reason, LONGEST_REASON)}`,
          'nginx sees no hot item until: hotitem hot thaw',
        ]),
    ...(failure === undefined ? [] : [`nginx does not see hot items: ${plainText(failure, 200)}`]),
    ...(keeperFailure === undefined ? [] : [`pages are not cached: ${plainText(keeperFailure, 300)}`]),
    ...(rules.problems.length === 0
      ? []
      : [
          `${plainText(rules.file ?? 'the rules', 200)} is invalid, the previous rules stay in effect:`,
          ...rules.problems.map((problem) => `  ${plainText(problem, 300)}`),
        ]),
    `${hot.length === 0 ? 'no item is hot' : 'hot'} on ${plainText(list.node, 60)}`,
    ...hot.map((one) => rowOf(one, now)),
    ...(held.length === 0 ? [] : ['held back by the cap']),
    ...held.map(
      ({ item, signal, reason }) =>
        `  ${name(item)}  ${signal.padEnd(12)}${plainText(reason, LONGEST_REASON)}`,
    ),
    ...(overrides.length === 0 ? [] : ['pins and bans']),
    ...overrides.map((one) => overrideRow(one)),
    '',
  ].join('\n');
}

function rowOf(
  { item, signal, since, until, actions, reason, rule, dryRun, problem, page, limit }: ShownDecision,
  now: number,
): string {
  const what = dryRun ? 'dry run' : actions.join(', ') || 'no action';
  const indent = ' '.repeat(36);
  const end = until === undefined ? '' : `, until ${isoTime(until)}`;
  return [
    `  ${name(item)}  ${signal.padEnd(12)}for ${durationText(now - since)}${end}  ${plainText(reason, LONGEST_REASON)}`,
    `${indent}${plainText(problem ?? what, 100)} (rule ${plainText(rule, 60)})`,
    ...(page === undefined ? [] : [`${indent}${keptText(page, now)}`]),
    ...(limit === undefined ? [] : [`${indent}${limitText(limit, String)}`]),
  ].join('\n');
}

/** A pin or a ban, in one line. */
export function overrideRow({ kind, item, from, until, reason, by }: Override): string {
  const times = [
    ...(from === undefined ? [] : [`from ${isoTime(from)}`]),
    ...(until === undefined ? [] : [`until ${isoTime(until)}`]),
  ].join(' ');
  const when = times === '' ? '' : ` ${times}`;
  return `  ${name(item)}  ${kind}${when} by ${plainText(by, 60)}: ${plainText(reason, LONGEST_REASON)}`;
}

function name(item: string): string {
  return plainText(item, LONGEST_ITEM).padEnd(20);
}

/** `45 s`, `12 min`, `3 h` */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3_600)} h`;
}
