import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createGiveWay } from '../service/give-way.ts';
import { reasonOf } from '../service/log.ts';
import { CatalogueError } from './catalogue-error.ts';
import { type CatalogueItems, createItems, MOST_CATEGORIES } from './items.ts';
import { createNdjsonReader } from './read-ndjson.ts';
import type { ReadLines, RowSink } from './read-rows.ts';
import { type ColumnName, createRowReader, type ReadRow, type RowValues } from './row.ts';
import { createSeenColumns, type SeenColumns } from './seen-columns.ts';

export type CatalogueOptions = {
  path: string;
  /** The heading in the file of each column. */
  columns: Record<ColumnName, string>;
  /** Hosts whose images may be shown. */
  imageHosts: readonly string[];
  /** Maximum memory of the items; twice that while another file is loaded. */
  mostBytes: number;
  /** How many bytes of the file are read, of how many. */
  onRead?: (done: number, of: number) => void;
};

/** A row that was left out. */
export type BadRow = { line: number; problem: string };

export type LoadedCatalogue = {
  items: CatalogueItems;
  /** Rows that were left out. */
  rejected: number;
  /** The first of them. */
  badRows: BadRow[];
  /** Headings or keys that are probably misspelt, a sentence each. */
  columnProblems: string[];
  /** Images of rows that were kept without them. */
  droppedImages: number;
  /** When the file was written, ms since 1970. */
  modified: number;
};

export const MOST_BAD_ROWS_KEPT = 20;
const MOST_ROWS = 2_000_000;
const LARGEST_BYTES = 1024 * 1024 * 1024;
const CHUNK = 64 * 1024;
const CR_ALONE = 'its lines end with CR alone: save it with LF or CR LF';
/** Of a turn of the event loop. */
const LONGEST_MS = 4;
const NEWLINE = 0x0a;
const CR = 0x0d;
const BRACE = 0x7b;
const BRACKET = 0x5b;
const BOM = Buffer.from('\ufeff');

/**
 * Reads a catalogue in short slices. Rejects with a `CatalogueError` if the file cannot be used: it is no regular file, it is
 * written to meanwhile, it ends in the middle of a line, it has no valid row, or a limit is exceeded. Links are followed.
 */
export async function loadCatalogue(
  options: CatalogueOptions,
  signal?: AbortSignal,
): Promise<LoadedCatalogue> {
  const file = await openRegular(options.path);
  try {
    return await read(file, options, signal);
  } finally {
    await file.close();
  }
}

async function openRegular(path: string): Promise<FileHandle> {
  // Opening a pipe would block.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { size, isFile } = await statOf(file);
    if (!isFile) throw new CatalogueError('must be a regular file');
    if (size > LARGEST_BYTES)
      throw new CatalogueError(`must have at most ${LARGEST_BYTES} bytes (has ${size})`);
    if (size === 0) throw new CatalogueError('is empty');
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function read(
  file: FileHandle,
  { columns, imageHosts, mostBytes, onRead }: CatalogueOptions,
  signal: AbortSignal | undefined,
): Promise<LoadedCatalogue> {
  const before = await statOf(file);
  const builder = createItems(mostBytes);
  const toRow = createRowReader(imageHosts);
  const badRows: BadRow[] = [];
  let rejected = 0;
  let droppedImages = 0;
  const sink: RowSink = {
    row(values, line) {
      const read = readRow(values);
      if ('problem' in read) bad(line, read.problem);
      else add(read, line);
    },
    bad,
    column: (heading) => seen?.add(heading),
  };
  const giveWay = createGiveWay(LONGEST_MS);
  let reader: ReadLines | undefined;
  let seen: SeenColumns | undefined;
  let last: number | undefined;
  let hasNewline = false;
  let hasCr = false;
  for (let size = 0; size < before.size; ) {
    signal?.throwIfAborted();
    // Parts of it are kept for a while: another one each time.
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK, before.size - size));
    const { bytesRead } = await file.read(chunk, 0, chunk.length);
    if (bytesRead === 0) break;
    let bytes = chunk.subarray(0, bytesRead);
    if (size === 0 && isUtf16(bytes)) throw new CatalogueError('is UTF-16: save it as UTF-8');
    if (size === 0 && bytes.indexOf(BOM) === 0) bytes = bytes.subarray(BOM.length);
    size += bytesRead;
    last = bytes.at(-1) ?? last;
    hasNewline ||= bytes.includes(NEWLINE);
    hasCr ||= !hasNewline && bytes.includes(CR);
    // Before the reader calls it a header that is too long.
    if (size > CHUNK && !hasNewline && hasCr) throw new CatalogueError(CR_ALONE);
    reader ??= await openReader(bytes);
    await goThrough(reader.write(bytes));
    onRead?.(size, before.size);
  }
  const after = await statOf(file);
  if (after.sign !== before.sign)
    throw new CatalogueError('is being written to: it is read once it stays the same');
  if (!hasNewline && hasCr) throw new CatalogueError(CR_ALONE);
  if (last !== NEWLINE)
    throw new CatalogueError('its last line has no newline at its end: the file looks half-written');
  if (reader !== undefined) await goThrough(reader.end());
  const { items } = builder;
  if (items.rows === 0) throw new CatalogueError(`has no valid row${firstOf(badRows)}`);
  const columnProblems = seen?.problems() ?? [];
  return { items, rejected, badRows, columnProblems, droppedImages, modified: before.modified };

  async function openReader(first: Buffer): Promise<ReadLines> {
    const isCsv = !isNdjson(first);
    seen = createSeenColumns(columns, isCsv);
    return (isCsv ? await csvReader() : createNdjsonReader)(columns, sink);
  }

  /** Whatever a row contains, it costs that row only. */
  function readRow(values: RowValues): ReadRow {
    try {
      return toRow(values);
    } catch (error) {
      return { problem: `cannot be read: ${reasonOf(error)}` };
    }
  }

  function add({ row, imageDropped }: Extract<ReadRow, { row: unknown }>, line: number): void {
    const added = builder.add(row);
    if (added === 'duplicate')
      bad(line, `id: ${JSON.stringify(row.id)} is in the file already; the first row counts`);
    if (added === 'full')
      throw new CatalogueError(
        `line ${line}: the items need more memory than catalogue.memory_mb (${mostBytes / 1024 / 1024})`,
      );
    if (added === 'categories')
      throw new CatalogueError(`line ${line}: has more than ${MOST_CATEGORIES} categories`);
    if (builder.items.rows > MOST_ROWS) throw new CatalogueError(`must have at most ${MOST_ROWS} rows`);
    if (imageDropped && added === 'added') droppedImages++;
  }

  function bad(line: number, problem: string): void {
    rejected++;
    if (badRows.length < MOST_BAD_ROWS_KEPT) badRows.push({ line, problem });
  }

  async function goThrough(pieces: Generator<undefined>): Promise<void> {
    for (const _ of pieces) {
      const turn = giveWay();
      if (turn !== undefined) await turn;
    }
  }
}

/** Loaded where there is CSV: no command needs it for its start. */
async function csvReader(): Promise<typeof import('./read-csv.ts').createCsvReader> {
  return (await import('./read-csv.ts')).createCsvReader;
}

/** By its byte order mark, or because every other byte of its first letters is 0. */
function isUtf16(bytes: Buffer): boolean {
  const [a, b, c, d] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) return true;
  return a === 0 ? b !== 0 && c === 0 && d !== 0 : b === 0 && c !== 0 && d === 0;
}

function isNdjson(bytes: Buffer): boolean {
  const first = bytes.find((byte) => byte > 0x20);
  return first === BRACE || first === BRACKET;
}

function firstOf([first]: BadRow[]): string {
  return first === undefined ? '' : `; line ${first.line}: ${first.problem}`;
}

async function statOf(file: FileHandle) {
  const found = await file.stat({ bigint: true });
  const { size, mtimeNs, mtimeMs } = found;
  return {
    size: Number(size),
    sign: `${size} ${mtimeNs}`,
    modified: Number(mtimeMs),
    isFile: found.isFile(),
  };
}
