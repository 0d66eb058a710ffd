import type { HotDecision } from '../event/decision-fields.ts';
import { EventError } from '../event/parse.ts';
import { parseDecision } from '../event/parse-decision.ts';
import type { Config } from '../service/config/config.ts';
import type { KeptLetter } from '../store/dead-letters/box.ts';
import type { KafkaMessage } from '../store/kafka/client.ts';
import { keyOfDecision, OUTBOX_SOURCE } from './wire-decisions.ts';

/** Whether a dead letter is about a decision, not about an event. */
export function isOfDecision({ origin }: Pick<KeptLetter, 'origin'>, { kafka }: Config): boolean {
  if (origin.startsWith(`${kafka.decision_topic}/`)) return true;
  return origin.startsWith(`${OUTBOX_SOURCE}/`) && /^\d+$/.test(origin.slice(OUTBOX_SOURCE.length + 1));
}

/** The message that brings the decision of a letter back into its topic, or why there is none. */
export function toDecisionMessage({ value, origin, recorded }: KeptLetter): KafkaMessage | string {
  const decision = toDecision({ value });
  if (typeof decision === 'string') return decision;
  return { key: keyOfDecision(decision), value, headers: { replayed_from: origin }, time: recorded };
}

/** The decision of a letter, or why it is none. */
export function toDecision({ value }: Pick<KeptLetter, 'value'>): HotDecision | string {
  try {
    return parseDecision(value.toString('utf8'));
  } catch (error) {
    if (!(error instanceof EventError)) throw error;
    return error.message;
  }
}
