/** How deep the JSON of an event may nest, itself included: ours nests two deep, a shipper's envelope some more. */
const MOST_DEPTH = 16;
/** Keys of its objects and elements of its lists, together. */
const MOST_KEYS = 1_000;

/**
 * Which limit a value that was read from JSON is beyond, in words; undefined where it keeps to both. What keeps to them can be
 * written and walked through without a thought of the stack: `JSON.parse` reads any depth, `JSON.stringify` does not write it.
 */
export function whyTooComplex(value: unknown): string | undefined {
  let level: Holder[] = holdsMore(value) ? [value] : [];
  let keys = 0;
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MOST_DEPTH) return `is nested more than ${MOST_DEPTH} deep`;
    const next: Holder[] = [];
    for (const one of level) {
      // What `JSON.parse` returns has no keys but its own; a list of them would take as long as all the rest.
      for (const key in one) {
        if (++keys > MOST_KEYS) return `has more than ${MOST_KEYS} keys`;
        const inner = one[key];
        if (holdsMore(inner)) next.push(inner);
      }
    }
    level = next;
  }
  return undefined;
}

/** An object, or a list with its indexes for keys. */
type Holder = Record<string, unknown>;

function holdsMore(value: unknown): value is Holder {
  return typeof value === 'object' && value !== null;
}
