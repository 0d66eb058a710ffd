import { toJson } from '../service/json-text.ts';
import type { Batch } from '../store/event-log.ts';

/** Maximum size of a record with a list of events: Kafka's default limit. */
const LARGEST_LIST = 1024 * 1024;
const MOST_ELEMENTS = 10_000;
/** Maximum size of a piece: more than a normal fetch of a partition unpacks to, and far below what a crafted batch can unpack to. */
const MOST_EVENTS = 10_000;
const MOST_BYTES = 4 * 1024 * 1024;

const BOM = Buffer.from('\ufeff');
const BRACKET = 0x5b;
const SPACE = 0x20;

/**
 * Splits a batch into one value per event, in pieces that can be processed at once; each is made in one turn of the event loop. A record
 * that is a JSON array becomes several values; the first of record `1207` has position `1207.0`. A byte order mark is removed. A record that is neither, or too large, stays as it is.
 * Only one byte of an ordinary record is examined.
 */
export function* separateEvents(batch: Batch): Generator<Batch> {
  if (isPlain(batch)) {
    yield batch;
    return;
  }
  let piece: Part[] = [];
  let bytes = 0;
  let ofLists = 0;
  for (const [at, record] of batch.values.entries()) {
    for (const part of partsOf(record, at)) {
      piece.push(part);
      bytes += part.value.length;
    }
    if (isUnusual(record)) ofLists += record.length;
    if (piece.length < MOST_EVENTS && bytes < MOST_BYTES && ofLists < LARGEST_LIST) continue;
    yield toBatch(batch, piece);
    piece = [];
    bytes = 0;
    ofLists = 0;
  }
  if (piece.length > 0) yield toBatch(batch, piece);
}

/** Whether each record already is one value, and all of them are one piece. */
function isPlain({ values }: Batch): boolean {
  let bytes = 0;
  for (let at = 0; at < values.length; at++) {
    const value = values.at(at);
    if (value === undefined) continue;
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

/** Whether it may begin with anything but the brace of an event. */
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
  const list = toJson(value.toString('utf8'));
  // An empty list is one record that is not an event, however long it is.
  if (!Array.isArray(list) || list.length > MOST_ELEMENTS || !list.some(isObject)) return undefined;
  return written(list);
}

/** Undefined if one of them is nested too deeply to be serialized: then the whole list is not an event. */
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
