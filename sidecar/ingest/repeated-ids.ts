import { placeOf } from './place-of.ts';

/** Zero marks an empty place; an id of zero is stored as this. */
const NOT_EMPTY = 1;
/** More than nginx posts, or a file is read, at once. */
const USUAL_BITS = 13;

/**
 * Returns whether an id occurs twice in `ids`, each given as one word of its `bitsOf`. Two of a thousand ids have the same word by chance once
 * in nine thousand times.
 */
export function createRepeatedIds(): (ids: number[]) => boolean {
  const usual = new Int32Array(2 ** USUAL_BITS);
  return (ids) => {
    if (ids.length < 2) return false;
    const bits = Math.ceil(Math.log2(2 * ids.length));
    const table = bits <= USUAL_BITS ? usual.fill(0, 0, 2 ** bits) : new Int32Array(2 ** bits);
    const last = 2 ** bits - 1;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] || NOT_EMPTY;
      let at = placeOf(id, bits);
      while (table[at] !== 0) {
        if (table[at] === id) return true;
        at = (at + 1) & last;
      }
      table[at] = id;
    }
    return false;
  };
}
