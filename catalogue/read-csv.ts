import { type Parser, parse } from 'csv-parse';
import { CatalogueError } from './catalogue-error.ts';
import { goesOn, headingsOf } from './csv-header.ts';
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
/** Of line breaks in headings. */
const MOST_HEADER_LINES = 20;
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
    if (delimiter === undefined && buffer.length > 0) throw openHeader();
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
    // Which of them are too many is not known. Fields that are missing or empty at the end are common.
    if (record.length > width && !record.slice(width).every((field) => BLANK.test(field))) {
      bad(
        line,
        `has more fields than the header (${record.length}, not ${width}): a field with ${JSON.stringify(delimiter)} must be in quotes`,
      );
      return;
    }
    const values: RowValues = {};
    for (const [name, place] of places) values[name] = textOf(record[place]);
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
      const text = textOfHeader();
      if (text === undefined) return false;
      const line = before + 1;
      before += text.split('\n').length;
      if (BLANK.test(text) || SEPARATOR_LINE.test(text)) continue;
      useHeader(text, line);
      return true;
    }
  }

  /** The next line, with those in which its last heading goes on. Undefined if there is not all of it yet. */
  function textOfHeader(): string | undefined {
    let end = buffer.indexOf(NEWLINE);
    for (let lines = 1; end !== -1 && lines < MOST_HEADER_LINES; lines++) {
      if (!goesOn(buffer.toString('utf8', 0, end))) break;
      end = buffer.indexOf(NEWLINE, end + 1);
    }
    if (end === -1 && buffer.length > LONGEST_ROW)
      throw new CatalogueError(`line ${before + 1}: is longer than a header may be`);
    if (end === -1) return undefined;
    const text = buffer.toString('utf8', 0, end);
    if (goesOn(text)) throw openHeader();
    buffer = buffer.subarray(end + 1);
    return text;
  }

  function useHeader(text: string, line: number): void {
    delimiter = DELIMITERS.find((one) => headingsOf(text, one).includes(names.id.toLowerCase()));
    const found = delimiter === undefined ? [] : headingsOf(text, delimiter);
    width = found.length;
    for (const heading of found) column(heading);
    places = COLUMNS.map((name): [ColumnName, number] => [name, found.indexOf(names[name].toLowerCase())]);
    const missing = places.find(([name, place]) => place === -1 && isNeeded(name));
    if (missing !== undefined) throw noColumn(missing[0], text, line);
    places = places.filter(([, place]) => place !== -1);
  }

  /** One that the operator has named must be there: else a misspelt name would be the same as none. */
  function isNeeded(name: ColumnName): boolean {
    return name === 'id' || names[name].toLowerCase() !== name;
  }

  function openHeader(): CatalogueError {
    return new CatalogueError(`line ${before + 1}: a quote of the header is not closed`);
  }

  function noColumn(name: ColumnName, header: string, line: number): CatalogueError {
    return new CatalogueError(
      `line ${line}: the header has no column ${JSON.stringify(names[name])} (got ${JSON.stringify(header.slice(0, 200))}): catalogue.columns.${name} sets another name`,
    );
  }
}

/** `="0815"` is how a text with zeros at its beginning is written for a spreadsheet. */
function textOf(field: string | undefined): string | undefined {
  return field?.startsWith('="') && field.endsWith('"') ? field.slice(2, -1) : field;
}

function newlinesIn(record: string[]): number {
  let found = 0;
  for (const field of record)
    for (let at = field.indexOf('\n'); at !== -1; at = field.indexOf('\n', at + 1)) found++;
  return found;
}
