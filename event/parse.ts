import type { HotItemEvent } from './event.ts';
import { whyTooComplex } from './json-limits.ts';
import { isKind, KINDS } from './kind.ts';

/** What was read is no event. The message names the field and shows the (cut) value. */
export class EventError extends Error {
  override name = 'EventError';
  readonly field: string;
  /** Field and problem, without the value: one of a closed list. */
  readonly problem: string;

  constructor(field: string, problem: string, value: unknown) {
    super(`${field}: ${problem} (got ${show(value)})`);
    this.field = field;
    this.problem = `${field}: ${problem}`;
  }
}

const LONGEST_ID = 128;
/** Of a value in a message. */
const LONGEST_SHOWN = 200;
/** The end of the year 9999, beyond which Elasticsearch reads no date: a clock that counts microseconds is there already. */
const LATEST_TIME = 253_402_300_799_999;
/** More than any sampling makes: one record must not rule a ranking. */
const MOST_WEIGHT = 1_000_000;
const TEXTS = ['raw', 'args', 'host', 'method', 'ua', 'ref', 'node', 'visitor'] as const;

/** The event in a JSON text as the sidecar wrote it. Throws an `EventError` at the first field that is wrong. */
export function parse(json: string): HotItemEvent {
  const value = fromJson(json);
  if (!isRecord(value)) throw new EventError('event', 'must be a JSON object', value);
  refuseTooComplex(value);
  if (value.v !== 1) throw new EventError('v', 'unknown version, this reads 1', value.v);
  requireText(value, 'id');
  if ((value.id as string).length > LONGEST_ID)
    throw new EventError('id', `longer than ${LONGEST_ID}`, value.id);
  if (!isTime(value.time))
    throw new EventError('time', 'must be whole milliseconds since 1970, up to the year 9999', value.time);
  requireText(value, 'uri');
  requireText(value, 'item');
  if (value.ip !== undefined) requireText(value, 'ip');
  for (const field of TEXTS) {
    if (value[field] !== undefined && typeof value[field] !== 'string') {
      throw new EventError(field, 'must be a text', value[field]);
    }
  }
  if (value.kind !== undefined && !isKind(value.kind)) {
    throw new EventError('kind', `must be one of ${KINDS.join(', ')}`, value.kind);
  }
  if (value.bot !== undefined && typeof value.bot !== 'boolean') {
    throw new EventError('bot', 'must be true or false', value.bot);
  }
  if (value.weight !== undefined && !isWeight(value.weight)) {
    throw new EventError('weight', `must be a number from 1 to ${MOST_WEIGHT}`, value.weight);
  }
  if (value.cut !== undefined && !isTexts(value.cut)) {
    throw new EventError('cut', 'must be a list of field names', value.cut);
  }
  return value as HotItemEvent;
}

/** Throws an `EventError` where an object that was read from JSON is nested too deep, or has too many keys. */
export function refuseTooComplex(value: unknown): void {
  const why = whyTooComplex(value);
  if (why !== undefined) throw new EventError('event', why, value);
}

function fromJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new EventError('event', 'is not JSON', json);
  }
}

function requireText(value: Record<string, unknown>, field: string): void {
  const found = value[field];
  if (typeof found !== 'string' || found === '')
    throw new EventError(field, 'must be a text that is not empty', found);
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
