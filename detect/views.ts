/**
 * Views of one batch, one row of words each. Detection reads the words in place: a function call for each number would cost too much.
 */
export type Views = {
  readonly length: number;
  /** Row `i` begins at word `i << ROW_BITS`. Words that are not named below belong to the caller. */
  readonly words: Int32Array;
  /** When nginx received each view, ms since 1970. */
  readonly times: Float64Array;
};

export const ROW_BITS = 3;
/** Two words of 32 scattered bits of the item. */
export const HIGH = 0;
export const LOW = 1;
/** One of the visitor. */
export const VISITOR = 2;
/** How many views it represents. */
export const WEIGHT = 3;
/** 1 for a bot, otherwise 0. */
export const IS_BOT = 4;
export const NAMED_WORDS = 5;

/** Creates empty rows for as many views. */
export function createRows(views: number): { words: Int32Array; times: Float64Array } {
  return { words: new Int32Array(views << ROW_BITS), times: new Float64Array(views) };
}
