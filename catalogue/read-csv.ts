import { type Parser, parse } from 'csv-parse';
import { CatalogueError } from './catalogue-error.ts';
import type { ReadLines, RowSink } from './read-rows.ts';
import type { ColumnName, RowValues } from './row.ts';
import { COLUMNS } from './row.ts';

/** Longest row, with the columns that are not read: descriptions of a shop may be long, and have many lines. */
const LONGEST_ROW = 256 * 1024;
/** The parser gets that much at once: it takes about a millisecond. */
const PIECE = 8 * 1024;
/** The first piece that a parser gets after a broken row. If another broken row follows, the rest of the piece was parsed in vain. */
const FIRST_PIECE = 512;
/** Maximum number of bytes that may be parsed in vain because of broken quotes. */
const MOST_AGAIN = 16 * 1024 * 1024;
const DELIMITERS = [',', ';', '\t', '|'];
const NEWLINE = 0x0a;
const BLANK = /^\s*$/;
/** What a spreadsheet writes before the header to say how fields are separated. */
const SEPARATOR_LINE = /^"?sep=.?"?\s*$/i;
const BROKEN_QUOTE = 'a quote inside a field must be doubled, and the field be in quotes';
/** The parser looks ahead: it returns the last row only if these bytes follow. */
const END = Buffer.from('\n\n\n\n');

/**
 * Reads CSV by csv-parse: a header, then rows. The delimiter is the one with which the header has a column of ids.
 *
 * A quote inside a field without quotes, as in `27" monitor`, is text. A broken quote makes the parser swallow rows that follow, up to the
 * next quote somewhere. Therefore its row is left out up to the end of its line, and a new parser continues in the next line.
 */
export function createCsvReader(
  names: Record<ColumnName, string>,
  { row, bad, column }: RowSink,
  mostAgain: number = MOST_AGAIN,
): ReadLines {
  /** What follows the last row that was read, of which the parser has `fed` bytes. */
  let buffer: Buffer = Buffer.alloc(0);
  let fed = 0;
  /** Of the parser: where `buffer` begins, and where the last row ends, in bytes. */
  let begin = 0;
  let end = 0;
  /** Lines before the first of the parser, and of the parser before `buffer`. */
  let before = 0;
  let lines = 0;
  let parser: Parser | undefined;
  let delimiter: string | undefined;
  let places: [ColumnName, number][] = [];
  let width = 0;
  let broken: string | undefined;
  let isSkipping = false;
  let again = 0;
  let thrown: unknown;
  return { write, end: finish };

  function* write(chunk: Buffer): Generator<undefined> {
    buffer = Buffer.concat([buffer, isSkipping ? afterLine(chunk) : chunk]);
    if (delimiter === undefined && !readHeader()) return;
    while (fed < buffer.length) {
      const piece = buffer.subarray(fed, fed + (parser === undefined ? FIRST_PIECE : PIECE));
      parser ??= createParser();
      parser.write(piece);
      fed += piece.length;
      if (thrown !== undefined) throw thrown;
      if (broken === undefined) forget();
      else passOver(broken);
      yield;
    }
  }

  function* finish(): Generator<undefined> {
    yield* write(END);
    while (!BLANK.test(buffer.toString('latin1'))) {
      passOver('a quote is not closed');
      yield* write(END);
    }
  }

  function createParser(): Parser {
    const made = parse({
      delimiter: delimiter ?? ',',
      record_delimiter: ['\r\n', '\n'],
      // Spaces around quotes, which many write. A tab is one for the parser.
      trim: delimiter !== '\t',
      relax_column_count: true,
      relax_quotes: true,
      skip_empty_lines: true,
      skip_records_with_error: true,
      max_record_size: LONGEST_ROW,
      on_skip(error) {
        broken ??=
          error?.code === 'CSV_MAX_RECORD_SIZE'
            ? `longer than ${LONGEST_ROW} bytes, or a quote is not closed`
            : BROKEN_QUOTE;
        return undefined;
      },
      // Nothing is left for the stream.
      on_record(record: string[], { bytes, lines: until }) {
        if (broken !== undefined) return null;
        if (isBroken(record, end - begin, bytes - begin)) {
          broken = BROKEN_QUOTE;
          return null;
        }
        end = bytes;
        lines = until;
        // The parser would take an error for one of the row.
        try {
          readRow(record, before + until - newlinesIn(record));
        } catch (error) {
          thrown ??= error;
        }
        return null;
      },
    });
    // After an error that ends it nothing comes: the row that it is in is not closed.
    made.on('error', () => {});
    return made;
  }

  /**
   * Whether the parser has taken a broken quote as text. Such a field begins with the quote; or there are too many fields, because the quote
   * did not protect a delimiter. In a field with quotes, each quote is doubled.
   */
  function isBroken(record: string[], from: number, to: number): boolean {
    const suspects = record.filter((field) =>
      record.length > width ? field.includes('"') : field.startsWith('"'),
    );
    if (suspects.length === 0) return false;
    const raw = buffer.toString('utf8', from, to);
    return suspects.some((field) => !raw.includes(`"${field.replaceAll('"', '""')}"`));
  }

  function readRow(record: string[], line: number): void {
    if (record.length === 1 && BLANK.test(record[0] ?? '')) return;
    const values: RowValues = {};
    for (const [name, place] of places) values[name] = record[place];
    row(values, line);
  }

  /** Drops what has been read. */
  function forget(): void {
    buffer = buffer.subarray(end - begin);
    fed -= end - begin;
    begin = end;
  }

  /** Continues in the line after the one in which the row begins. */
  function passOver(problem: string): void {
    forget();
    again += fed;
    let line = before + lines + 1;
    let from = 0;
    // Lines without text before it.
    for (let next = buffer.indexOf(NEWLINE); next !== -1; next = buffer.indexOf(NEWLINE, from)) {
      if (!BLANK.test(buffer.toString('latin1', from, next))) break;
      from = next + 1;
      line++;
    }
    bad(line, problem);
    if (again > mostAgain)
      throw new CatalogueError(`line ${line}: quotes are broken in too many rows: is it a CSV file?`);
    isSkipping = true;
    buffer = afterLine(buffer.subarray(from));
    parser?.destroy();
    parser = undefined;
    broken = undefined;
    fed = begin = end = lines = 0;
    before = line;
  }

  /** What follows the end of the line. */
  function afterLine(bytes: Buffer): Buffer {
    const newline = bytes.indexOf(NEWLINE);
    if (newline === -1) return Buffer.alloc(0);
    isSkipping = false;
    return bytes.subarray(newline + 1);
  }

  /** False if there is not all of it yet. */
  function readHeader(): boolean {
    for (;;) {
      const newline = buffer.indexOf(NEWLINE);
      if (newline === -1) {
        if (buffer.length > LONGEST_ROW)
          throw new CatalogueError(`line ${before + 1}: is longer than a header may be`);
        return false;
      }
      const text = buffer.toString('utf8', 0, newline);
      buffer = buffer.subarray(newline + 1);
      before++;
      if (BLANK.test(text) || SEPARATOR_LINE.test(text)) continue;
      useHeader(text);
      return true;
    }
  }

  function useHeader(text: string): void {
    delimiter = DELIMITERS.find((one) => headings(text, one).includes(names.id.toLowerCase()));
    const found = delimiter === undefined ? [] : headings(text, delimiter);
    width = found.length;
    for (const heading of found) column(heading);
    places = COLUMNS.map((name): [ColumnName, number] => [name, found.indexOf(names[name].toLowerCase())]);
    const missing = places.find(([name, place]) => place === -1 && isNeeded(name));
    if (missing !== undefined) throw noColumn(missing[0], text);
    places = places.filter(([, place]) => place !== -1);
  }

  /** One that the operator has named must be there: else a misspelt name would be the same as none. */
  function isNeeded(name: ColumnName): boolean {
    return name === 'id' || names[name].toLowerCase() !== name;
  }

  function noColumn(name: ColumnName, header: string): CatalogueError {
    return new CatalogueError(
      `line ${before}: the header has no column ${JSON.stringify(names[name])} (got ${JSON.stringify(header.slice(0, 200))}): catalogue.columns.${name} sets another name`,
    );
  }
}

/** A heading has no delimiter in it. */
function headings(line: string, delimiter: string): string[] {
  return line.split(delimiter).map((heading) =>
    heading
      .trim()
      .replace(/^"(.*)"$/, '$1')
      .trim()
      .toLowerCase(),
  );
}

function newlinesIn(record: string[]): number {
  let found = 0;
  for (const field of record)
    for (let at = field.indexOf('\n'); at !== -1; at = field.indexOf('\n', at + 1)) found++;
  return found;
}
