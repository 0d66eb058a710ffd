/** Bytes that are written again and again: in words, of which the first `length` bytes count. */
export type Piece = { words: Float64Array; length: number };

export const WORD_BYTES = 8;

/** The key of a text that follows another text, whose end it writes as well. */
export function keyOf(name: string): Piece {
  return pieceOf(`","${name}":"`);
}

export function pieceOf(text: string): Piece {
  const length = Buffer.byteLength(text);
  const bytes = Buffer.alloc(Math.ceil(length / WORD_BYTES) * WORD_BYTES);
  bytes.write(text);
  const words = new Float64Array(bytes.length / WORD_BYTES);
  return { words: words.map((_, i) => bytes.readDoubleLE(i * WORD_BYTES)), length };
}
