import type { Config } from '../service/config/config.ts';
import { readDecision } from '../sink/read-record.ts';
import type { KeptLetter } from '../store/dead-letters/box.ts';
import type { KafkaMessage } from '../store/kafka/client.ts';
import { inLetter } from './record-reader.ts';
import { keyOfDecision, OUTBOX_SOURCE } from './wire-decisions.ts';

/** Whether a dead letter is about a decision, not about an event. */
export function isOfDecision({ origin }: Pick<KeptLetter, 'origin'>, { kafka }: Config): boolean {
  if (origin.startsWith(`${kafka.decision_topic}/`)) return true;
  return origin.startsWith(`${OUTBOX_SOURCE}/`) && /^\d+$/.test(origin.slice(OUTBOX_SOURCE.length + 1));
}

/** The message that brings the decision of a letter back into its topic, or why there is none. */
export function toDecisionMessage(letter: KeptLetter): KafkaMessage | string {
  const decision = inLetter(letter, readDecision);
  if (typeof decision === 'string') return decision;
  const { value, origin, recorded } = letter;
  return { key: keyOfDecision(decision), value, headers: { replayed_from: origin }, time: recorded };
}
