import type { Extent } from '../../event/event-writer.ts';
import { mix } from '../../event/mix.ts';

/** How much is kept of what comes in: one event in `oneIn`. */
export type Rung = Extent;

export type Ladder = {
  /** The current step: an index of `RUNGS`. */
  step(): number;
  rung(): Rung;
};

export type LadderOptions = {
  /** How full the spool is when it begins, below 1. It is at its end before the spool is full. */
  from: number;
  /** How full the spool is, 0 to 1. */
  fill: () => number;
  onChange: (change: { step: number; fill: number }) => void;
};

/**
 * From everything to the least. All are powers of two, so that what one step keeps, the steps before it keep as well. The last
 * is the one for counts: one event in 64 without what says who and how. It is a sample too, not a sum in memory: a sum
 * would be lost with the process that had answered 204, and would count twice what is read twice (decision 0007).
 */
export const RUNGS: readonly Rung[] = [
  { oneIn: 1, bare: false },
  { oneIn: 2, bare: false },
  { oneIn: 4, bare: false },
  { oneIn: 8, bare: false },
  { oneIn: 16, bare: false },
  { oneIn: 64, bare: true },
];
const TOP = 0;

/** Decides what is kept as the spool fills, and back again as it empties. */
export function createLadder({ from, fill, onChange }: LadderOptions): Ladder {
  let current = TOP;
  return { step, rung: () => RUNGS[step()] ?? { oneIn: 1, bare: false } };

  function step(): number {
    const now = fill();
    const next = nextStep(current, { fill: now, from });
    if (next !== current) onChange({ step: next, fill: now });
    current = next;
    return current;
  }
}

/**
 * The step after `step`. The steps begin at equal distances from `from` to 1; one is left again when the spool is emptier
 * by half a distance than where it begins, so that a spool at a boundary does not go to and fro.
 */
export function nextStep(step: number, { fill, from }: { fill: number; from: number }): number {
  const distance = (1 - from) / (RUNGS.length - 1);
  // A millionth, for 0.8 + 0.04 is not quite 0.84.
  const down = Math.floor((fill - from) / distance + 1e-6) + 1;
  const up = Math.floor((fill - from) / distance + 0.5 + 1e-6) + 1;
  const next = down > step ? down : Math.min(step, up);
  return Math.max(TOP, Math.min(RUNGS.length - 1, next));
}

/**
 * Whether an event is among the one in `oneIn` (a power of two) that are kept. By its id alone, given as its `bitsOf`, so that a
 * line which is read twice has the same fate; mixed, because nginx samples by request ids as well.
 */
export function isKept(high: number, low: number, oneIn: number): boolean {
  return oneIn === 1 || (mix(high ^ mix(low)) & (oneIn - 1)) === 0;
}
