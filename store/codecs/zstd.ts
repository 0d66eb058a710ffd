import { Decompress } from 'fzstd';
import { type Output, TooLarge } from './output.ts';

const MAGIC = 0xfd2fb528;
/** A skippable frame, to be ignored; the last digit is free. */
const SKIPPABLE = 0x184d2a50;
const SINGLE_SEGMENT = 0x20;
const CHECKSUM = 0x04;
const RLE = 1;
const LARGEST_BLOCK = 128 * 1024;
/** How far back a frame may refer; the library makes a buffer of that size, whatever the frame then holds. */
const LARGEST_WINDOW = 16 * 1024 * 1024;
/** Where the size of the window is. */
const WINDOW_AT = 5;

/**
 * Unpacks frames of Zstandard (RFC 8878) into `output`, block by block. Throws where the bytes are no such frames. Not Node's own: Node 20
 * has none.
 */
export function* unpackZstd(bytes: Buffer, output: Output): Generator<void> {
  let at = 0;
  while (at < bytes.length) {
    const magic = bytes.readUInt32LE(at);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) at += 8 + bytes.readUInt32LE(at + 4);
    else if (magic === MAGIC) {
      const { frame, ends } = frameAt(bytes, at);
      const stream = new Decompress((some) => output.append(asBuffer(some), 0, some.length));
      let from = 0;
      for (const end of ends) {
        stream.push(frame.subarray(from, end));
        from = end;
        yield;
      }
      stream.push(frame.subarray(from), true);
      at += frame.length;
    } else throw new Error('it is not a zstd frame');
  }
}

/** The frame and where in it each block ends, with a window that is no larger than what the frame can hold: producers say 2 MiB, or 128, for any batch. */
function frameAt(bytes: Buffer, from: number): { frame: Buffer; ends: number[] } {
  const flags = bytes.readUInt8(from + 4);
  const isSingle = (flags & SINGLE_SEGMENT) !== 0;
  const dictionaryBytes = [0, 1, 2, 4][flags & 0x03] ?? 0;
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][flags >> 6] ?? 0;
  const sizeAt = from + (isSingle ? WINDOW_AT : WINDOW_AT + 1) + dictionaryBytes;
  const blocks = measureBlocks(bytes, sizeAt + sizeBytes);
  const end = blocks.at(-1) ?? 0;
  const most = blocks.length * LARGEST_BLOCK;
  const ends = blocks.map((one) => one - from);
  const frame = bytes.subarray(from, end + (flags & CHECKSUM ? 4 : 0));
  if (isSingle) {
    if (sizeOf(bytes, sizeAt, sizeBytes) > LARGEST_WINDOW) throw new TooLarge(LARGEST_WINDOW);
    return { frame, ends };
  }
  const said = bytes.readUInt8(from + WINDOW_AT);
  const window = Math.min(said, descriptorFor(most));
  if (window > descriptorFor(LARGEST_WINDOW)) throw new TooLarge(LARGEST_WINDOW);
  if (window === said) return { frame, ends };
  const smaller = Buffer.from(frame);
  smaller[WINDOW_AT] = window;
  return { frame: smaller, ends };
}

/** Where each block of a frame ends. */
function measureBlocks(bytes: Buffer, from: number): number[] {
  const ends: number[] = [];
  let end = from;
  for (let isLast = false; !isLast; ) {
    const head = bytes.readUIntLE(end, 3);
    isLast = (head & 1) !== 0;
    end += 3 + (((head >> 1) & 3) === RLE ? 1 : head >> 3);
    ends.push(end);
  }
  if (end > bytes.length) throw new Error('the end of its zstd frame is missing');
  return ends;
}

/** Of the smallest window that is a power of two. */
function descriptorFor(bytes: number): number {
  return (Math.ceil(Math.log2(bytes)) - 10) << 3;
}

function sizeOf(bytes: Buffer, at: number, length: number): number {
  if (length === 8) return Number(bytes.readBigUInt64LE(at));
  return bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0);
}

function asBuffer(some: Uint8Array): Buffer {
  return Buffer.from(some.buffer, some.byteOffset, some.byteLength);
}
