export type Zipf = {
  /** A number from 0 to n − 1; k comes up in proportion to 1 / (k + 1). */
  next(): number;
  /** Uniform from 0 to 1, of the same generator. */
  random(): number;
};

/** Zipf's law over `n` ranks from a generator with a fixed seed (mulberry32, T. Ettinger, public domain). */
export function createZipf(n: number, seed: number): Zipf {
  const cumulative: number[] = [];
  let total = 0;
  for (let rank = 1; rank <= n; rank++) {
    total += 1 / rank;
    cumulative.push(total);
  }
  let state = seed >>> 0;
  return { next, random };

  function next(): number {
    const point = random() * total;
    return cumulative.findIndex((sum) => point < sum);
  }

  function random(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }
}
