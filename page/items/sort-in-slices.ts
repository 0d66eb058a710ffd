/**
 * `some` in the order of `compare`, stable, sorted in slices of a few milliseconds, between which the page may draw: no frame waits for ten
 * thousand names. Undefined if `isWanted` says no before it is done.
 */
export async function sortInSlices<One>(
  some: readonly One[],
  compare: (a: One, b: One) => number,
  isWanted: () => boolean,
): Promise<One[] | undefined> {
  let from = [...some];
  let into = [...some];
  let began = performance.now();
  for (let width = 1; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += 2 * width) {
      merge(from, into, { start, middle: start + width, end: start + 2 * width }, compare);
      if (performance.now() - began < SLICE_MS) continue;
      await pause();
      if (!isWanted()) return undefined;
      began = performance.now();
    }
    [from, into] = [into, from];
  }
  return from;
}

/** Half a frame. A merge of the last rounds takes about as long as this at most. */
const SLICE_MS = 6;

type Runs = { start: number; middle: number; end: number };

function merge<One>(
  from: readonly One[],
  into: One[],
  { start, middle, end }: Runs,
  compare: (a: One, b: One) => number,
): void {
  let left = start;
  let right = middle;
  const last = Math.min(end, from.length);
  for (let at = start; at < last; at++) {
    const a = from[left];
    const b = from[right];
    const takesLeft = left < middle && (right >= last || compare(a as One, b as One) <= 0);
    into[at] = (takesLeft ? a : b) as One;
    if (takesLeft) left++;
    else right++;
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
