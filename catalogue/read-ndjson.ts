import { CatalogueError } from './catalogue-error.ts';
import type { ReadLines, RowSink } from './read-rows.ts';
import { COLUMNS, type ColumnName, type RowValues } from './row.ts';

const LONGEST_LINE = 256 * 1024;
/** A line is parsed at once; this many between two looks at the clock. */
const AT_ONCE = 50;
const NEWLINE = 0x0a;

/** Reads NDJSON: an object a line. */
export function createNdjsonReader(
  names: Record<ColumnName, string>,
  { row, bad, column }: RowSink,
): ReadLines {
  let rest: Buffer = Buffer.alloc(0);
  let line = 0;
  /** The line is too long, and its end is still to come. */
  let isSkipping = false;
  return { write, end };

  function* write(chunk: Buffer): Generator<undefined> {
    const bytes = Buffer.concat([rest, chunk]);
    let from = 0;
    for (let to = bytes.indexOf(NEWLINE); to !== -1; to = bytes.indexOf(NEWLINE, from)) {
      line++;
      if (isSkipping || to - from > LONGEST_LINE) bad(line, `longer than ${LONGEST_LINE} bytes`);
      else readLine(bytes.toString('utf8', from, to));
      isSkipping = false;
      from = to + 1;
      if (line % AT_ONCE === 0) yield;
    }
    rest = bytes.subarray(from);
    if (rest.length <= LONGEST_LINE) return;
    isSkipping = true;
    rest = Buffer.alloc(0);
  }

  function* end(): Generator<undefined> {}

  function readLine(text: string): void {
    if (text.trim() === '') return;
    const value = objectOf(text);
    if (value === undefined) {
      if (line === 1 && text.trimStart().startsWith('['))
        throw new CatalogueError(
          'line 1: is a list: NDJSON has an object a line, without brackets around them',
        );
      bad(line, 'is not a JSON object');
      return;
    }
    for (const key of Object.keys(value)) column(key);
    const values: RowValues = {};
    for (const name of COLUMNS) if (Object.hasOwn(value, names[name])) values[name] = value[names[name]];
    row(values, line);
  }
}

function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
