import type { Extent } from '../../event/event-writer.ts';
import { mix } from '../../event/mix.ts';

export type LoadShedding = {
  /** The current step: an index of `SHEDDING_STEPS`. */
  step(): number;
  /** How many of the incoming events are kept, one in `oneIn`, and how much of each. */
  extent(): Extent;
};

export type LoadSheddingOptions = {
  /** How full the spool is when load shedding begins, below 1. The last step is reached before the spool is full. */
  from: number;
  /** How full the spool is, 0 to 1. */
  fill: () => number;
  onChange: (change: { step: number; fill: number }) => void;
};

/**
 * From all events to the fewest. All are powers of two, so that an event kept by one step is kept by all steps before it. The last step is
 * for counts only: one event in 64, without the fields that say who and how. It is still a sample, not a sum in memory: a sum would be lost
 * with the process that had answered 204, and lines that are read twice would count twice (decision 0007).
 */
export const SHEDDING_STEPS: readonly Extent[] = [
  { oneIn: 1, bare: false },
  { oneIn: 2, bare: false },
  { oneIn: 4, bare: false },
  { oneIn: 8, bare: false },
  { oneIn: 16, bare: false },
  { oneIn: 64, bare: true },
];
const TOP = 0;

/** Chooses the shedding step as the spool fills and empties. */
export function createLoadShedding({ from, fill, onChange }: LoadSheddingOptions): LoadShedding {
  let current = TOP;
  return { step, extent: () => SHEDDING_STEPS[step()] ?? { oneIn: 1, bare: false } };

  function step(): number {
    const now = fill();
    const next = nextStep(current, { fill: now, from });
    if (next !== current) onChange({ step: next, fill: now });
    current = next;
    return current;
  }
}

/**
 * The step after `step`. Steps begin at equal distances between `from` and 1. A step ends when the spool is emptier than its beginning by
 * half a distance, so that it does not alternate at a boundary.
 */
export function nextStep(step: number, { fill, from }: { fill: number; from: number }): number {
  const distance = (1 - from) / (SHEDDING_STEPS.length - 1);
  // Tolerance, because 0.8 + 0.04 is not exactly 0.84.
  const down = Math.floor((fill - from) / distance + 1e-6) + 1;
  const up = Math.floor((fill - from) / distance + 0.5 + 1e-6) + 1;
  const next = down > step ? down : Math.min(step, up);
  return Math.max(TOP, Math.min(SHEDDING_STEPS.length - 1, next));
}

/**
 * Whether an event is among the one in `oneIn` (a power of two) that are kept. Depends only on its id, given as `bitsOf`, so that a line
 * that is read twice is decided the same way. The bits are mixed, because nginx samples by request ids as well.
 */
export function isKept(high: number, low: number, oneIn: number): boolean {
  return oneIn === 1 || (mix(high ^ mix(low)) & (oneIn - 1)) === 0;
}
