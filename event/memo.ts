/**
 * Returns `compute` with a memory for the results of about the last `size` texts. There are two generations: a text that was asked for
 * since they last changed survives the next change. A flood of texts that never repeat costs no more than computing them.
 */
export function createMemo<Value>(size: number, compute: (text: string) => Value): (text: string) => Value {
  const half = Math.ceil(size / 2);
  let recent = new Map<string, Value>();
  let older = new Map<string, Value>();
  return (text) => {
    const known = recent.get(text);
    if (known !== undefined) return known;
    const value = older.get(text) ?? compute(text);
    if (recent.size >= half) {
      older = recent;
      recent = new Map();
    }
    recent.set(ownCopy(text), value);
    return value;
  };
}

/** A piece of a line keeps the whole request in memory that it was cut out of. */
function ownCopy(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}
