import type { Target } from './bench.ts';
import { round } from './statistics.ts';

/** A target that is reached by at most this much; no figure reaches none. */
export function atMost(target: string, measured: number, limit: number, digits = 2): Target {
  return { target: `${target} ≤ ${limit}`, measured: round(measured, digits), reached: measured <= limit };
}

/** A target that is reached by at least this much. */
export function atLeast(target: string, measured: number, limit: number, digits = 2): Target {
  return { target: `${target} ≥ ${limit}`, measured: round(measured, digits), reached: measured >= limit };
}
