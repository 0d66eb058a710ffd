/*
 * Writes short runs of bytes one behind the other, four at a time: a byte at a time takes half as long again for a whole
 * event, and a call of `Buffer.copy` or `set` costs more than the bytes of a field.
 */

export type ByteWriter = {
  /** Writes into `to` from `at` on, and copies out of `from`. */
  begin(from: Buffer, to: Buffer, at: number): void;
  put(piece: Piece): void;
  putByte(byte: number): void;
  /** Bytes `at` to `until` of `from`. */
  copy(at: number, until: number): void;
  end(): number;
};

/** Bytes that are written again and again. */
export type Piece = { words: Int32Array; length: number };

const WORD_BYTES = 4;
/** By how much a write goes past its last byte at most: `to` must have the room. */
export const OVERSHOOT_BYTES = WORD_BYTES - 1;

export function pieceOf(text: string): Piece {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.alloc(Math.ceil(length / WORD_BYTES) * WORD_BYTES);
  bytes.write(text);
  const words = new Int32Array(bytes.length / WORD_BYTES);
  return { words: words.map((_, i) => bytes.readInt32LE(i * WORD_BYTES)), length };
}

export function createByteWriter(): ByteWriter {
  let from: Buffer = Buffer.alloc(0);
  let to: Buffer = from;
  let input = viewOf(from);
  let output = input;
  let end = 0;
  // What a loop uses is local to it: a variable of the closure would be fetched and stored for each word.
  return {
    begin(lines, out, at) {
      if (lines !== from) input = viewOf(lines);
      if (out !== to) output = viewOf(out);
      from = lines;
      to = out;
      end = at;
    },
    put({ words, length }) {
      const view = output;
      let at = end;
      for (let i = 0; i < words.length; i++, at += WORD_BYTES) view.setInt32(at, words[i] ?? 0, true);
      end += length;
    },
    putByte(byte) {
      output.setUint8(end++, byte);
    },
    copy(first, until) {
      const lines = input;
      const view = output;
      const lastWord = Math.min(until, lines.byteLength - OVERSHOOT_BYTES);
      let at = first;
      let outAt = end;
      for (; at < lastWord; at += WORD_BYTES, outAt += WORD_BYTES)
        view.setInt32(outAt, lines.getInt32(at, true), true);
      for (; at < until; at++, outAt++) view.setUint8(outAt, lines.getUint8(at));
      end += until - first;
    },
    end: () => end,
  };
}

function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}
