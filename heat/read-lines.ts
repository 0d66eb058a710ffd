import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** A line of a text: in `bytes`, from `at` to `until`, without what ends it. Numbered from one. */
export type OnLine = (bytes: Buffer, at: number, until: number, number: number) => void;

export type ReadLinesOptions = {
  /** `-` is standard input. */
  path: string;
  longest: number;
  onLine: OnLine;
  /** Called for a line that is longer, and is skipped. */
  onLongLine: (number: number) => void;
  /** `of`: all there is to be read, undefined where that is not known. */
  onRead?: (bytes: number, of: number | undefined) => void;
};

const NEWLINE = 0x0a;
const CHUNK_BYTES = 1024 * 1024;
const STANDARD_INPUT = '-';
/** What some editors write before everything. */
const BYTE_ORDER_MARK = Buffer.from('\u{feff}');

/** Reads a file, a pipe, or standard input once, from its beginning to its end, in bounded memory. Rejects as the file system does. */
export async function readLines(options: ReadLinesOptions): Promise<void> {
  const { path, longest, onLine, onLongLine, onRead } = options;
  const found = path === STANDARD_INPUT ? undefined : await stat(path);
  const size = found?.isFile() ? found.size : undefined;
  const stream =
    path === STANDARD_INPUT ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  let rest: Buffer = Buffer.alloc(0);
  let isTooLong = false;
  let read = 0;
  let number = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    read += chunk.length;
    const first = chunk.indexOf(NEWLINE);
    if (first === -1) {
      keep(chunk);
      continue;
    }
    end(chunk.subarray(0, first));
    let at = first + 1;
    for (let until = chunk.indexOf(NEWLINE, at); until !== -1; until = chunk.indexOf(NEWLINE, at)) {
      if (until - at > longest) onLongLine(++number);
      else onLine(chunk, at, until, ++number);
      at = until + 1;
    }
    keep(chunk.subarray(at));
    onRead?.(read, size);
  }
  if (rest.length > 0 || isTooLong) end(Buffer.alloc(0));

  /** The beginning of a line. */
  function keep(part: Buffer): void {
    if (isTooLong || rest.length + part.length > longest) {
      isTooLong = isTooLong || rest.length + part.length > 0;
      rest = Buffer.alloc(0);
      return;
    }
    rest = rest.length === 0 ? Buffer.from(part) : Buffer.concat([rest, part]);
  }

  function end(part: Buffer): void {
    keep(part);
    number++;
    if (isTooLong) onLongLine(number);
    else
      onLine(
        rest,
        number === 1 && rest.indexOf(BYTE_ORDER_MARK) === 0 ? BYTE_ORDER_MARK.length : 0,
        rest.length,
        number,
      );
    rest = Buffer.alloc(0);
    isTooLong = false;
  }
}
