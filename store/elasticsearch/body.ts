import { giveWay } from '../../service/give-way.ts';

/** The operations of a bulk request as bytes, so that a part of them can be sent without serializing it again. */
export type Body = {
  /** How many operations. */
  length: number;
  /** In bytes. */
  size: number;
  /** A view, not a copy. */
  bytes: Buffer;
  /** Their buffer; it may be reused once it has been sent. */
  buffer: Buffer;
  slice(from: number, to: number): Body;
};

/** Initial size for some hundred operations; the buffer grows if needed. */
const FIRST_BYTES = 64 * 1024;
/** A UTF-16 code unit takes at most three bytes in UTF-8. */
const WIDEST = 3;

/**
 * Writes operations one after the other, over several turns of the event loop; `undefined` is skipped. A single string would have to be
 * flattened from a hundred thousand pieces, which takes several times as long.
 */
export async function createBody<T>(
  items: Iterable<T | undefined>,
  toOperation: (item: T) => string,
  buffer: Buffer = Buffer.allocUnsafe(FIRST_BYTES),
): Promise<Body> {
  let bytes = buffer;
  const ends: number[] = [];
  let end = 0;
  for (const item of items) {
    if (item !== undefined) {
      const operation = toOperation(item);
      if (bytes.length - end < operation.length * WIDEST)
        bytes = larger(bytes, end, operation.length * WIDEST);
      end += bytes.write(operation, end);
      ends.push(end);
    }
    const turn = giveWay();
    if (turn !== undefined) await turn;
  }
  return view(bytes, ends, { from: 0, to: ends.length });
}

function view(bytes: Buffer, ends: number[], { from, to }: { from: number; to: number }): Body {
  const begin = ends[from - 1] ?? 0;
  const end = ends[to - 1] ?? 0;
  return {
    length: to - from,
    size: end - begin,
    bytes: bytes.subarray(begin, end),
    buffer: bytes,
    slice: (first, last) => view(bytes, ends, { from: from + first, to: from + last }),
  };
}

function larger(bytes: Buffer, used: number, needed: number): Buffer {
  const next = Buffer.allocUnsafe(Math.max(bytes.length * 2, used + needed));
  bytes.copy(next, 0, 0, used);
  return next;
}
