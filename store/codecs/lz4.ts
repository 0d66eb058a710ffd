import type { Output } from './output.ts';

const MAGIC = 0x184d2204;
/** A skippable frame, to be ignored; the last digit is free. */
const SKIPPABLE = 0x184d2a50;
const UNCOMPRESSED = 0x8000_0000;
const FLAG = { contentChecksum: 0x04, contentSize: 0x08, blockChecksum: 0x10, dictionary: 0x01 };

/** Bytes of a block after which others may have their turn: a block may be 4 MiB. */
const PIECE = 256 * 1024;

/**
 * Unpacks frames of LZ4 ("LZ4 Frame Format Description" 1.6 and "LZ4 Block Format Description") into `output`. Their own
 * checksums are not looked at: Kafka's covers them, and the first clients of Kafka wrote one of them wrong. In pieces. Throws
 * where the bytes are no such frames.
 */
export function* unpackLz4(bytes: Buffer, output: Output): Generator<void> {
  let at = 0;
  while (at < bytes.length) {
    const magic = bytes.readUInt32LE(at);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) at += 8 + bytes.readUInt32LE(at + 4);
    else if (magic === MAGIC) at = yield* unpackFrame(bytes, at + 4, output);
    else throw new Error('it is not an lz4 frame');
  }
}

/** Returns where the frame ends. */
function* unpackFrame(bytes: Buffer, from: number, output: Output): Generator<void, number> {
  const flags = bytes.readUInt8(from);
  if (flags & FLAG.dictionary) throw new Error('its lz4 frame needs a dictionary');
  // Flags, size of blocks, size of the content, checksum of these.
  let at = from + (flags & FLAG.contentSize ? 11 : 3);
  while (true) {
    const size = bytes.readUInt32LE(at);
    at += 4;
    if (size === 0) return at + (flags & FLAG.contentChecksum ? 4 : 0);
    const end = at + (size & ~UNCOMPRESSED);
    if (end > bytes.length) throw new Error('the end of its lz4 frame is missing');
    if (size & UNCOMPRESSED) output.append(bytes, at, end);
    else yield* unpackBlock(bytes, { at, end }, output);
    at = end + (flags & FLAG.blockChecksum ? 4 : 0);
    yield;
  }
}

/** A block is a list of pairs: literal bytes, and then a copy of earlier output (how many bytes, from how far back). */
function* unpackBlock(
  bytes: Buffer,
  { at, end }: { at: number; end: number },
  output: Output,
): Generator<void> {
  let next = at;
  let pieceEnd = output.size() + PIECE;
  while (next < end) {
    if (output.size() > pieceEnd) {
      pieceEnd = output.size() + PIECE;
      yield;
    }
    const token = bytes.readUInt8(next++);
    const literals = length(token >> 4);
    output.append(bytes, next, next + literals);
    next += literals;
    // The last of them has literals only.
    if (next >= end) return;
    const distance = bytes.readUInt16LE(next);
    next += 2;
    output.repeat(distance, length(token & 0x0f) + 4);
  }

  /** 15 continues in the following bytes, as long as they are 255. */
  function length(begun: number): number {
    let sum = begun;
    if (begun < 15) return sum;
    for (let more = 255; more === 255; sum += more) more = bytes.readUInt8(next++);
    return sum;
  }
}
