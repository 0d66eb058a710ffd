import type { RowValues } from './row.ts';

/** Where a reader of a file puts what it finds. Lines are counted from 1. */
export type RowSink = {
  row(values: RowValues, line: number): void;
  /** A row that cannot be read. */
  bad(line: number, problem: string): void;
  /** A heading of CSV, in small letters, or a key of NDJSON, each time that it comes. */
  column(heading: string): void;
};

/** Reads a file in chunks. It yields wherever it may pause, every few ms. Throws a `CatalogueError`. */
export type ReadLines = {
  write(chunk: Buffer): Generator<undefined>;
  end(): Generator<undefined>;
};
