import type { HotItemEvent } from './event.ts';
import { FIELD_NAMES, type Field, fieldOf } from './fields.ts';
import { whyTooComplex } from './json-limits.ts';
import { isKind, KINDS } from './kind.ts';

/**
 * The input is not an event. The message names the field and shows the (truncated) value. It has no stack, which says nothing about the
 * input: of tens of thousands in a batch, the stacks would take more memory than all else.
 */
export class EventError extends Error {
  override name = 'EventError';
  readonly field: string;
  /** Field and problem, without the value: one of a closed list. */
  readonly problem: string;

  constructor(field: string, problem: string, value: unknown) {
    const message = `${field}: ${problem} (got ${show(value)})`;
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
    this.field = field;
    this.problem = `${field}: ${problem}`;
  }
}

/** Of a value in a message. */
const LONGEST_SHOWN = 200;
/** The end of the year 9999, beyond which Elasticsearch reads no date: a clock that counts microseconds is there already. */
const LATEST_TIME = 253_402_300_799_999;
/** More than any sampling makes: one record must not rule a ranking. */
const MOST_WEIGHT = 1_000_000;

/** Throws an `EventError` for what is no value of the field. */
type Check = (name: string, value: unknown, field: Field) => void;

const CHECKS: Record<Field['type'], Check> = {
  version(name, value) {
    if (value !== 1) throw new EventError(name, 'unknown version, this reads 1', value);
  },
  text(name, value, { required, filled, longest }) {
    if (typeof value !== 'string' || (filled && value === ''))
      throw new EventError(name, filled ? 'must be a non-empty string' : 'must be a string', value);
    if (required && longest !== undefined && value.length > longest)
      throw new EventError(name, `longer than ${longest}`, value);
  },
  time(name, value) {
    if (!isTime(value))
      throw new EventError(name, 'must be whole milliseconds since 1970, up to the year 9999', value);
  },
  kind(name, value) {
    if (!isKind(value)) throw new EventError(name, `must be one of ${KINDS.join(', ')}`, value);
  },
  flag(name, value) {
    if (typeof value !== 'boolean') throw new EventError(name, 'must be true or false', value);
  },
  weight(name, value) {
    if (!isWeight(value)) throw new EventError(name, `must be a number from 1 to ${MOST_WEIGHT}`, value);
  },
  names(name, value) {
    if (!isTexts(value)) throw new EventError(name, 'must be a list of field names', value);
  },
};

const CHECKED = FIELD_NAMES.map((name) => {
  const field = fieldOf(name);
  const { type, filled, required, longest } = field;
  // Of a text that is right at first sight. Nothing else is.
  const most = type !== 'text' ? -1 : ((required && longest) ?? Number.POSITIVE_INFINITY);
  return { name, field, fewest: filled ? 1 : 0, most, check: CHECKS[type] };
});

/** The event in a JSON text as the sidecar wrote it. Throws an `EventError` at the first field that is wrong. */
export function parse(json: string): HotItemEvent {
  const value = readObject('event', json);
  for (const { name, field, fewest, most, check } of CHECKED) {
    const found = value[name];
    if (typeof found === 'string' && found.length >= fewest && found.length <= most) continue;
    if (found !== undefined || field.required) check(name, found, field);
  }
  return value as HotItemEvent;
}

/** The object in a JSON text. Throws an `EventError` of `what` where there is none, or one that is too complex. */
export function readObject(what: string, json: string): Record<string, unknown> {
  const value = fromJson(what, json);
  if (!isRecord(value)) throw new EventError(what, 'must be a JSON object', value);
  refuseTooComplex(value, what);
  return value;
}

/** Throws an `EventError` where an object that was read from JSON is nested too deep, or has too many keys. */
export function refuseTooComplex(value: unknown, what = 'event'): void {
  const why = whyTooComplex(value);
  if (why !== undefined) throw new EventError(what, why, value);
}

function fromJson(what: string, json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new EventError(what, 'is not JSON', json);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether an event may have this time. */
export function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LATEST_TIME;
}

function isWeight(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 1 && value <= MOST_WEIGHT;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** The value as JSON, not more of it than is read. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (whyTooComplex(value) !== undefined) return 'more than is shown';
  const begin = typeof value === 'string' ? value.slice(0, LONGEST_SHOWN) : value;
  const shown = JSON.stringify(begin) ?? typeof value;
  return shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}…` : shown;
}
