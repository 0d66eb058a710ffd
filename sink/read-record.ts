import type { HotDecision } from '../event/decision-fields.ts';
import type { HotItemEvent } from '../event/event.ts';
import { fromArticle, isArticle } from '../event/from-article.ts';
import { EventError, parse, refuseTooComplex } from '../event/parse.ts';
import { parseDecision } from '../event/parse-decision.ts';
import { parsePlain } from '../event/parse-plain.ts';
import type { Redaction } from '../event/redaction.ts';
import { toJson } from '../service/json-text.ts';
import { reasonOf } from '../service/log.ts';
import type { Batch } from '../store/event-log.ts';

export type ReadRecordOptions = {
  /** Time zone of `actime`: an IANA name. */
  articleTimeZone: string;
  /** How messages in the article's format are redacted; our own events were redacted before they were stored. */
  redact: Redaction;
};

/** What is in record `at` of a batch. Throws an `EventError` where it is none, and nothing else: no record stops a reader. */
export type ReadRecord<One = HotItemEvent> = (batch: Batch, at: number) => One;

/** Several times the sum of all field limits. */
export const LARGEST_RECORD: number = 256 * 1024;
/** Prefix of each of our events; other records need a closer look. */
const OURS = '{"v":';

export function createReadRecord({ articleTimeZone, redact }: ReadRecordOptions): ReadRecord {
  return (batch, at) => only('event', () => readRecord(batch, at));

  function readRecord(batch: Batch, at: number): HotItemEvent {
    const json = textOf('event', batch, at);
    if (json.startsWith(OURS)) return parsePlain(json) ?? parse(json);
    const message = toJson(json);
    if (!isArticle(message)) return parse(json);
    refuseTooComplex(message);
    const place = `${batch.source.replaceAll('/', '-')}-${batch.position(at)}`;
    return redact(fromArticle(message, { place, time: batch.time?.(at), timeZone: articleTimeZone }));
  }
}

/** The decision in a record of the topic of decisions. */
export const readDecision: ReadRecord<HotDecision> = (batch, at) =>
  only('decision', () => parseDecision(textOf('decision', batch, at)));

function textOf(what: string, { values }: Batch, at: number): string {
  const value = values.at(at);
  if (value === undefined || value.length === 0) throw new EventError(what, 'has no value', undefined);
  if (value.length > LARGEST_RECORD)
    throw new EventError(what, `larger than ${LARGEST_RECORD} bytes`, value.length);
  return value.toString('utf8');
}

/** Throws an `EventError`, whatever `read` throws. */
function only<One>(what: string, read: () => One): One {
  try {
    return read();
  } catch (error) {
    if (error instanceof EventError) throw error;
    throw new EventError(what, 'cannot be read', reasonOf(error));
  }
}
