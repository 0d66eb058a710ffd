import type { PastDecision } from '../store/event-questions.ts';
import type { ReportHeld } from './report.ts';

/** What decisions say about items that the cap held back: each item and signal once, by the first time. */
export function heldBack(
  decisions: PastDecision[],
  { from, to }: { from: number; to: number },
): ReportHeld[] {
  const held = new Map<string, ReportHeld>();
  for (const { time, item, signal, reason, change } of decisions.toSorted((a, b) => a.time - b.time)) {
    if (change !== 'held' || time < from || time >= to) continue;
    const key = JSON.stringify([item, signal]);
    const known = held.get(key);
    if (known === undefined) held.set(key, { item, signal, first: time, last: time, times: 1, reason });
    else Object.assign(known, { last: time, times: known.times + 1 });
  }
  return [...held.values()];
}
