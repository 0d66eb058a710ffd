import type { Batch } from '../store/event-log.ts';

/** Of a record with a list of events: Kafka's usual limit. */
const LARGEST_LIST = 1024 * 1024;
const MOST_ELEMENTS = 10_000;
/** Of a piece: more than what Kafka is asked for of a partition unpacks to, and little beside what a batch can be made to unpack to. */
const MOST_EVENTS = 10_000;
const MOST_BYTES = 4 * 1024 * 1024;

const BOM = Buffer.from('\ufeff');
const BRACKET = 0x5b;
const SPACE = 0x20;

/**
 * The batch with an event a value, in pieces of what may be worked on at once: what a record has in a JSON array becomes values of
 * their own, the first of record `1207` at position `1207.0`; a byte order mark goes. What is none of both, or too much, stays as it
 * is. A byte of each record is looked at.
 */
export function* separateEvents(batch: Batch): Generator<Batch> {
  if (isPlain(batch)) {
    yield batch;
    return;
  }
  let piece: Part[] = [];
  let bytes = 0;
  for (const [at, record] of batch.values.entries()) {
    for (const part of partsOf(record, at)) {
      piece.push(part);
      bytes += part.value.length;
    }
    if (piece.length < MOST_EVENTS && bytes < MOST_BYTES) continue;
    yield toBatch(batch, piece);
    piece = [];
    bytes = 0;
  }
  if (piece.length > 0) yield toBatch(batch, piece);
}

/** Whether each record is an event, if it is anything, and all of them are one piece. */
function isPlain({ values }: Batch): boolean {
  let bytes = 0;
  for (const value of values) {
    if (isUnusual(value)) return false;
    bytes += value.length;
  }
  return values.length <= MOST_EVENTS && bytes <= MOST_BYTES;
}

function toBatch(batch: Batch, parts: Part[]): Batch {
  return {
    ...batch,
    values: parts.map(({ value }) => value),
    position: (i) => {
      const { at = i, element } = parts[i] ?? {};
      return element === undefined ? batch.position(at) : `${batch.position(at)}.${element}`;
    },
    time: (i) => batch.time?.(parts[i]?.at ?? i),
  };
}

/** Whether it may begin otherwise than with the brace of an event. */
function isUnusual(value: Buffer): boolean {
  const first = value[0] ?? 0;
  return first === BRACKET || first === BOM[0] || (first <= SPACE && value.length > 0);
}

type Part = { value: Buffer; at: number; element?: number };

function partsOf(record: Buffer, at: number): Part[] {
  if (!isUnusual(record)) return [{ value: record, at }];
  const value = record.indexOf(BOM) === 0 ? record.subarray(BOM.length) : record;
  return elementsOf(value)?.map((element, i) => ({ value: element, at, element: i })) ?? [{ value, at }];
}

/** Undefined if it is not a list of events. */
function elementsOf(value: Buffer): Buffer[] | undefined {
  const begin = value.findIndex((byte) => byte > SPACE);
  if (value[begin] !== BRACKET || value.length > LARGEST_LIST) return undefined;
  const list = fromJson(value.toString('utf8'));
  // A list without events is one record that is not an event, however long it is.
  if (!Array.isArray(list) || list.length > MOST_ELEMENTS || !list.some(isObject)) return undefined;
  return written(list);
}

/** Undefined where one of them is nested deeper than can be written: then the list is no event, as a whole. */
function written(list: unknown[]): Buffer[] | undefined {
  try {
    return list.map((element) => Buffer.from(JSON.stringify(element)));
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fromJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
