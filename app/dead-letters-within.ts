import type { KeptLetter } from '../store/dead-letters/box.ts';
import type { Core } from './core.ts';
import { isOfDecision } from './decision-delivery.ts';
import { openDeadLetters } from './open-dead-letters.ts';

export type DeadLettersWithin = { events: number; reasons: { reason: string; events: number }[] };

const MOST_REASONS = 5;
/** Whoever sends what is no event chooses what its reason quotes. */
const MOST_KINDS = 1_000;
const OTHER = 'another reason';

export class OutOfTime extends Error {
  override message = 'reading them takes too long';
}

/** Events of a time that became dead letters and were not delivered again since, with the most frequent reasons. */
export async function deadLettersWithin(
  core: Core,
  { from, to, deadline }: { from: number; to: number; deadline: number },
): Promise<DeadLettersWithin> {
  const box = await openDeadLetters(core);
  const counts = new Map<string, number>();
  await box.read(count, requireTime).finally(() => box.close());
  const reasons = [...counts]
    .map(([reason, events]) => ({ reason, events }))
    .sort((a, b) => b.events - a.events);
  const events = reasons.reduce((sum, one) => sum + one.events, 0);
  return { events, reasons: reasons.slice(0, MOST_REASONS) };

  function requireTime(): void {
    if (core.now() > deadline) throw new OutOfTime();
  }

  function count(letter: KeptLetter): void {
    requireTime();
    const { time, recorded = time, reason, undecodable = 1, replayed } = letter;
    if (replayed || recorded < from || recorded >= to || isOfDecision(letter, core.config)) return;
    const said = kindOf(reason);
    const kind = counts.has(said) || counts.size < MOST_KINDS ? said : OTHER;
    counts.set(kind, (counts.get(kind) ?? 0) + undecodable);
  }
}

/**
 * The reason without the values that it quotes (Elasticsearch quotes place, id and value), so that a million letters have only a few
 * reasons.
 */
export function kindOf(reason: string): string {
  return reason
    .replace(/ \(got [\s\S]*$/, '')
    .replace(/ in document with id [\s\S]*$/, '')
    .replace(/\.? Preview of [\s\S]*$/, '')
    .replace(/\[\d+:\d+\] /, '')
    .slice(0, 200);
}
