import type { Output } from './output.ts';

/** How the framing begins that Java's library puts around Snappy. */
const XERIAL = Buffer.from('\x82SNAPPY\0', 'latin1');
const XERIAL_HEAD_BYTES = 16;

/** Bytes of a block after which others may have their turn. */
const PIECE = 256 * 1024;

/**
 * Unpacks Snappy ("Snappy compressed format description") into `output`: one block, or the blocks with a length before each
 * that Java's clients write; in pieces. Throws where the bytes are neither.
 */
export function* unpackSnappy(bytes: Buffer, output: Output): Generator<void> {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) {
    yield* unpackBlock(bytes, output);
    return;
  }
  for (let at = XERIAL_HEAD_BYTES; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) throw new Error('the end of a snappy block is missing');
    yield* unpackBlock(bytes.subarray(at + 4, end), output);
    at = end;
    yield;
  }
}

/** A block is its unpacked size, and a list of literal bytes and of repetitions of bytes that were there before. */
function* unpackBlock(block: Buffer, output: Output): Generator<void> {
  let at = 0;
  const end = output.size() + varint();
  let pieceEnd = output.size() + PIECE;
  while (at < block.length) {
    if (output.size() > pieceEnd) {
      pieceEnd = output.size() + PIECE;
      yield;
    }
    const tag = block.readUInt8(at++);
    const kind = tag & 0x03;
    if (kind === 0) {
      const size = literal(tag >> 2);
      output.append(block, at, at + size);
      at += size;
    } else if (kind === 1) {
      output.repeat(((tag & 0xe0) << 3) | block.readUInt8(at), ((tag >> 2) & 0x07) + 4);
      at += 1;
    } else {
      const distance = kind === 2 ? block.readUInt16LE(at) : block.readUInt32LE(at);
      at += kind === 2 ? 2 : 4;
      output.repeat(distance, (tag >> 2) + 1);
    }
  }
  if (output.size() !== end) throw new Error('a snappy block has a wrong length');

  /** From 60 on the length is in the next one to four bytes. */
  function literal(size: number): number {
    if (size < 60) return size + 1;
    const bytes = size - 59;
    at += bytes;
    return block.readUIntLE(at - bytes, bytes) + 1;
  }

  function varint(): number {
    let value = 0;
    for (let unit = 1; unit <= 2 ** 28; unit *= 0x80) {
      const byte = block.readUInt8(at++);
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
    }
    throw new Error('it is not a snappy block');
  }
}
