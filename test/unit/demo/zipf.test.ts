import { expect, test } from '@jest/globals';
import { createZipf } from '../../../demo/zipf.ts';

test('the demo crowd is the same for the same seed, and follows the law', () => {
  const [one, two] = [createZipf(10, 7), createZipf(10, 7)];
  const counts = new Array<number>(10).fill(0);
  let differing = 0;
  for (let i = 0; i < 100_000; i++) {
    const rank = one.next();
    if (two.next() !== rank) differing++;
    counts[rank] = (counts[rank] ?? 0) + 1;
  }
  expect(differing).toBe(0);
  const harmonic = Array.from({ length: 10 }, (_, k) => 1 / (k + 1)).reduce((sum, share) => sum + share);
  counts.forEach((count, k) => {
    expect(count / 100_000).toBeCloseTo(1 / (k + 1) / harmonic, 2);
  });
});
