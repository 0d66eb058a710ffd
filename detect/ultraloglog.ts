/*
 * Counts distinct values within a few percent, in a fixed amount of memory: O. Ertl, "UltraLogLog: A Practical and More Space-Efficient
 * Alternative to HyperLogLog for Approximate Distinct Counting" (PVLDB 17, 2024). As in HyperLogLog, a value has a rank (k with a probability of
 * 1 in 2^k), and a register keeps the highest rank of its values. Here it also keeps whether the two ranks below that occurred. The count is
 * the one that makes the registers most likely: its standard error is 0.76 / √2^p, 1.2 % at p = 12 in 4 KB, where that of HyperLogLog is 1.6 %.
 */
export type UltraLogLog = {
  /** Two independent words of 32 scattered bits of the value. */
  add(high: number, low: number): void;
  estimate(): number;
  clear(): void;
};

const PRECISION = 12;
/** Registers per sketch, one byte each: the highest rank, and two bits for the ranks below it. Zero: no value. */
export const REGISTERS = 1 << PRECISION;
const WORD_BITS = 32;
const RANKS = WORD_BITS + 1;
/** A rank beside the two below it. */
const OCCURRED = 0b100;
const BELOW = 0b11;
const RANK_SHIFT = 2;
/** From this difference on, a register does not keep the lower of two ranks. */
const APART = 3;
/** A last step that is a smaller part of the mean ends the search for the estimate: a fraction of the standard error. */
const EXACT = 1e-6;

export function createUltraLogLog(): UltraLogLog {
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
  registers[at] = both(registers[at] ?? 0, (Math.clz32(low) + 1) << RANK_SHIFT);
}

/** Merges the sketch at offset `from` of `other` into the one at offset `first`. */
export function merge(registers: Uint8Array, first: number, other: Uint8Array, from: number): void {
  for (let i = 0; i < REGISTERS; i++) {
    const added = other[from + i] ?? 0;
    if (added !== 0) registers[first + i] = both(registers[first + i] ?? 0, added);
  }
}

/** A register with the values of two. */
function both(one: number, other: number): number {
  return one < other ? withLower(other, one) : withLower(one, other);
}

function withLower(register: number, lower: number): number {
  if (lower === 0) return register;
  const apart = (register >> RANK_SHIFT) - (lower >> RANK_SHIFT);
  if (apart === 0) return register | lower;
  return apart < APART ? register | ((OCCURRED | (lower & BELOW)) >> apart) : register;
}

/** For one sketch. */
export function estimateOf(registers: Uint8Array): number {
  const size = registers.length;
  const { occurred, absent } = ranksOf(registers);
  let known = 0;
  let halves = absent;
  for (let rank = 1; rank <= RANKS; rank++) {
    const count = occurred[rank] ?? 0;
    known += count;
    halves += (count * probabilityOf(rank)) / 2;
  }
  if (known === 0) return 0;
  // The likelihood's derivative is convex and falls: from below, Newton's method approaches its zero without passing it.
  let mean = known / halves;
  for (let step = Number.POSITIVE_INFINITY; step > EXACT * mean; mean += step) {
    let value = -absent;
    let slope = 0;
    for (let rank = 1; rank <= RANKS; rank++) {
      const probability = probabilityOf(rank);
      const odds = probability / Math.expm1(mean * probability);
      value += (occurred[rank] ?? 0) * odds;
      slope += (occurred[rank] ?? 0) * odds * (probability + odds);
    }
    step = value / slope;
  }
  return mean * size;
}

/** In how many registers each rank is known to have occurred; and the sum of the probabilities of those that are known not to have. */
function ranksOf(registers: Uint8Array): { occurred: Float64Array; absent: number } {
  const states = new Uint32Array((RANKS + 1) << RANK_SHIFT);
  for (const register of registers) states[register] = (states[register] ?? 0) + 1;
  const occurred = new Float64Array(RANKS + 1);
  let absent = states[0] ?? 0;
  for (let state = 1 << RANK_SHIFT; state < states.length; state++) {
    const count = states[state] ?? 0;
    const rank = state >> RANK_SHIFT;
    // All that are higher: as probable as the rank.
    absent += count * probabilityOf(rank);
    const occurs = OCCURRED | (state & BELOW);
    for (let below = 0; below < APART && below < rank; below++) {
      if ((occurs << below) & OCCURRED) occurred[rank - below] = (occurred[rank - below] ?? 0) + count;
      else absent += count * probabilityOf(rank - below);
    }
  }
  return { occurred, absent };
}

function probabilityOf(rank: number): number {
  return 2 ** -rank;
}
