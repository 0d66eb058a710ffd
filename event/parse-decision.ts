import {
  DECISION_FIELD_NAMES,
  type DecisionField,
  decisionFieldOf,
  type HotDecision,
  WORDS,
} from './decision-fields.ts';
import { EventError, isTime, readObject } from './parse.ts';

/** Limits of the lists of signals and actions. */
const MOST_TEXTS = 16;
const LONGEST_TEXT = 64;

/** Parses the JSON of a decision. Throws an `EventError` at the first invalid field. Fields that are not in the table are dropped. */
export function parseDecision(json: string): HotDecision {
  const value = readObject('decision', json);
  const decision: Record<string, unknown> = {};
  for (const name of DECISION_FIELD_NAMES) {
    const field = decisionFieldOf(name);
    const found = value[name];
    if (found === undefined && field.required !== true) continue;
    const problem = problemOf(found, field);
    if (problem !== undefined) throw new EventError(name, problem, found);
    decision[name] = found;
  }
  return decision as HotDecision;
}

/** Why it is not a value of the field. */
function problemOf(value: unknown, { type, longest }: DecisionField): string | undefined {
  const words = WORDS[type];
  if (words !== undefined)
    return typeof value === 'string' && words.includes(value)
      ? undefined
      : `must be one of ${words.join(', ')}`;
  switch (type) {
    case 'version':
      return value === 1 ? undefined : 'unknown version, this reads 1';
    case 'text':
      return textProblem(value, longest);
    case 'time':
      return isTime(value) ? undefined : 'must be whole milliseconds since 1970, up to the year 9999';
    case 'count':
      return Number.isSafeInteger(value) && Number(value) >= 0
        ? undefined
        : 'must be a whole number from 0 on';
    case 'number':
      return Number.isFinite(value) && Number(value) >= 0 ? undefined : 'must be a number from 0 on';
    case 'flag':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    default:
      return isTexts(value) ? undefined : `must be a list of at most ${MOST_TEXTS} words`;
  }
}

function textProblem(value: unknown, longest = Number.POSITIVE_INFINITY): string | undefined {
  if (typeof value !== 'string' || value === '') return 'must be a non-empty string';
  return value.length > longest ? `longer than ${longest}` : undefined;
}

function isTexts(value: unknown): boolean {
  if (!Array.isArray(value) || value.length > MOST_TEXTS) return false;
  return value.every((one) => typeof one === 'string' && one !== '' && one.length <= LONGEST_TEXT);
}
