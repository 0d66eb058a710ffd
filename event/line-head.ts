import type { BadLineReason } from './bad-line.ts';
import { DOT, hexOf, isDigit, NEWLINE, SLASH, TAB, wrongDigits, ZERO } from './line-bytes.ts';

/*
 * How a line begins: version, `$msec` and `$request_id`, which are numbers. `2/N`: one in N views is captured.
 */

export type LineHead = {
  /** Reads the beginning of the line that begins at `at`. Returns where `$request_id` ends. */
  read(lines: Buffer, view: DataView, at: number): number;
  /** 1 or 2; 0 for any other. */
  version(): number;
  /** What is wrong with time or id. */
  problem(): Problem | undefined;
  /** The number of views that the line represents. */
  weight(): number;
  /** `$msec`, ms since 1970. */
  time(): number;
  /** Where `$request_id` begins: 32 hexadecimal digits. */
  idAt(): number;
  /** `bitsOf` the event's id. */
  idBits(word: 0 | 1): number;
};

/** Which bytes of the line are wrong. */
export type Problem = { reason: BadLineReason; field: string; at: number; end: number };

const ONE = 0x31;
const TWO = 0x32;
const ID_DIGITS = 32;
const MS_DIGITS = 3;
const SHORTEST_TIME = '123456789.123'.length;
const LONGEST_TIME = '12345678901.123'.length;
const MOST_ONE_IN = 10_000;

export function createLineHead(): LineHead {
  const time = new Float64Array(1);
  const id = new Int32Array(2);
  let from: Buffer = Buffer.alloc(0);
  let version = 0;
  let weight = 1;
  let isId = false;
  let timeAt = 0;
  let idAt = 0;
  let idEnd = 0;
  return {
    read,
    version: () => version,
    problem() {
      if (Number.isNaN(time[0])) return { reason: 'time', field: '$msec', at: timeAt, end: idAt - 1 };
      return isId ? undefined : { reason: 'request_id', field: '$request_id', at: idAt, end: idEnd };
    },
    weight: () => weight,
    time: () => time[0] ?? 0,
    idAt: () => idAt,
    idBits: (word) => id[word] ?? 0,
  };

  function read(lines: Buffer, view: DataView, at: number): number {
    from = lines;
    weight = 1;
    const digit = lines[at];
    const versionEnd = lines[at + 1] === SLASH ? readWeight(at + 2) : at + 1;
    const isVersion = (digit === ONE || digit === TWO) && endsField(lines, versionEnd) && weight > 0;
    version = isVersion ? digit - ZERO : 0;
    timeAt = versionEnd + 1;
    idAt = readTime(timeAt) + 1;
    idEnd = readId(view, idAt);
    return idEnd;
  }

  /** Where N ends; `weight` is 0 for one that is none. */
  function readWeight(at: number): number {
    let n = 0;
    let i = at;
    for (; isDigit(from[i]) && n <= MOST_ONE_IN; i++) n = n * 10 + (from[i] ?? 0) - ZERO;
    weight = from[at] === ZERO || n < 2 || n > MOST_ONE_IN ? 0 : n;
    return i;
  }

  /** Seconds, a dot, and three digits; NaN for anything else. */
  function readTime(at: number): number {
    const lines = from;
    if (lines[at - 1] !== TAB) return at - 1;
    let value = 0;
    let i = at;
    for (; isDigit(lines[i]); i++) value = value * 10 + (lines[i] ?? 0) - ZERO;
    const dot = i;
    if (lines[dot] === DOT) for (i++; isDigit(lines[i]); i++) value = value * 10 + (lines[i] ?? 0) - ZERO;
    const length = i - at;
    const isTime =
      lines[i] === TAB && i - dot === MS_DIGITS + 1 && length >= SHORTEST_TIME && length <= LONGEST_TIME;
    time[0] = isTime ? value : Number.NaN;
    return isTime ? i : fieldEnd(lines, i);
  }

  function readId(view: DataView, at: number): number {
    const lines = from;
    if (lines[at - 1] !== TAB) return at - 1;
    isId = lines[at + ID_DIGITS] === TAB;
    if (!isId) return fieldEnd(lines, at);
    let wrong = 0;
    for (let i = at; i < at + ID_DIGITS; i += 4) wrong |= wrongDigits(view.getInt32(i));
    isId = wrong === 0;
    if (!isId) return fieldEnd(lines, at);
    id[0] = (hexOf(view.getInt32(at)) << 16) | hexOf(view.getInt32(at + 4));
    id[1] = (hexOf(view.getInt32(at + 8)) << 16) | hexOf(view.getInt32(at + 12));
    return at + ID_DIGITS;
  }
}

/** At a tab, a newline, or the end of all. */
export function endsField(lines: Buffer, at: number): boolean {
  const byte = lines[at];
  return byte === TAB || byte === NEWLINE || byte === undefined;
}

export function fieldEnd(lines: Buffer, at: number): number {
  let i = at;
  while (!endsField(lines, i)) i++;
  return i;
}
