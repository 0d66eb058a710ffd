/*
 * Counts distinct values within a few percent, in a fixed amount of memory: HyperLogLog (Flajolet et al. 2007) with the estimator of O.
 * Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6, which needs no correction for small or large
 * counts. Its standard error is 1.04 / √2^p: 1.6 % at p = 12, in 4 KB. At p = 11 one in thirty would be off by 5 %.
 */
export type HyperLogLog = {
  /** Two independent words of 32 scattered bits of the value. */
  add(high: number, low: number): void;
  estimate(): number;
  clear(): void;
};

export const PRECISION = 12;
/** Registers per sketch, one byte each. */
export const REGISTERS = 1 << PRECISION;
const WORD_BITS = 32;
const ALPHA = 1 / (2 * Math.LN2);

export function createHyperLogLog(): HyperLogLog {
  const registers = new Uint8Array(REGISTERS);
  return {
    add: (high, low) => addTo(registers, 0, high, low),
    estimate: () => estimateOf(registers),
    clear: () => registers.fill(0),
  };
}

/** Adds a value to the sketch at offset `first`. */
export function addTo(registers: Uint8Array, first: number, high: number, low: number): void {
  const at = first + (high >>> (WORD_BITS - PRECISION));
  const rank = Math.clz32(low) + 1;
  if (rank > (registers[at] ?? 0)) registers[at] = rank;
}

/** Merges the sketch at offset `from` of `other` into the one at offset `first`. */
export function merge(registers: Uint8Array, first: number, other: Uint8Array, from: number): void {
  for (let i = 0; i < REGISTERS; i++) {
    const rank = other[from + i] ?? 0;
    if (rank > (registers[first + i] ?? 0)) registers[first + i] = rank;
  }
}

/** For one sketch. */
export function estimateOf(registers: Uint8Array): number {
  const size = registers.length;
  const counts = new Uint32Array(WORD_BITS + 2);
  for (const rank of registers) counts[rank] = (counts[rank] ?? 0) + 1;
  let z = size * tau(1 - (counts[WORD_BITS + 1] ?? 0) / size);
  for (let rank = WORD_BITS; rank >= 1; rank--) z = 0.5 * (z + (counts[rank] ?? 0));
  z += size * sigma((counts[0] ?? 0) / size);
  return (ALPHA * size * size) / z;
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let x = share;
  let y = 1;
  let z = x;
  for (let before = Number.NaN; z !== before; y *= 2) {
    x *= x;
    before = z;
    z += x * y;
  }
  return z;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y = 1;
  let z = 1 - x;
  for (let before = Number.NaN; z !== before; ) {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}
