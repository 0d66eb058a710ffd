import { createRandom } from '../demo/random.ts';
import { mix } from '../event/mix.ts';

/** Ranks 0 to `items` - 1, each as frequent as 1/(rank + 1)^s, from a fixed seed: `count` of them, by Walker's alias method. */
export function zipfRanks({ items, s, count }: { items: number; s: number; count: number }): Uint32Array {
  const { share, alias } = aliasTable(items, s);
  const random = createRandom(42);
  return Uint32Array.from({ length: count }, () => {
    const at = Math.floor(random() * items);
    return random() < (share[at] ?? 1) ? at : (alias[at] ?? 0);
  });
}

/** Two words of an item, as `observe` wants them. */
export function wordsOf(item: number): [high: number, low: number] {
  return [mix(2 * item + 1), mix(0x5bd1e995 + 2 * item)];
}

function aliasTable(items: number, s: number): { share: Float64Array; alias: Uint32Array } {
  const weights = Float64Array.from({ length: items }, (_, rank) => 1 / (rank + 1) ** s);
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / items;
  const share = weights.map((weight) => weight / mean);
  const alias = new Uint32Array(items);
  const small: number[] = [];
  const large: number[] = [];
  for (let i = 0; i < items; i++) ((share[i] ?? 0) < 1 ? small : large).push(i);
  for (let i = small.pop(), from = large.pop(); i !== undefined && from !== undefined; i = small.pop()) {
    alias[i] = from;
    share[from] = (share[from] ?? 0) - 1 + (share[i] ?? 0);
    if ((share[from] ?? 0) >= 1) continue;
    small.push(from);
    from = large.pop();
  }
  return { share, alias };
}
