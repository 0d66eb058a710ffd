import { createRandom } from './random.ts';

export type Zipf = {
  /** A number from 0 to n − 1; the probability of k is proportional to 1 / (k + 1). */
  next(): number;
  /** A uniform number from 0 to 1, from the same generator. */
  random(): number;
};

/** Zipf's law over `n` ranks from a generator with a fixed seed. */
export function createZipf(n: number, seed: number): Zipf {
  const cumulative: number[] = [];
  let total = 0;
  for (let rank = 1; rank <= n; rank++) {
    total += 1 / rank;
    cumulative.push(total);
  }
  const random = createRandom(seed);
  return { next, random };

  function next(): number {
    const point = random() * total;
    return cumulative.findIndex((sum) => point < sum);
  }
}
