import type { HotItemEvent } from '../event/event.ts';
import { fromArticle, isArticle } from '../event/from-article.ts';
import { EventError, parse, refuseTooComplex } from '../event/parse.ts';
import { parsePlain } from '../event/parse-plain.ts';
import type { Redaction } from '../event/redaction.ts';
import { reasonOf } from '../service/log.ts';
import type { Batch } from '../store/event-log.ts';

export type ReadRecordOptions = {
  /** Time zone of `actime`: an IANA name. */
  articleTimeZone: string;
  /** How messages in the article's format are redacted; our own events were redacted before they were stored. */
  redact: Redaction;
};

/** The event in record `at` of a batch. Throws an `EventError` if it is not one, and nothing else: no record stops a reader. */
export type ReadRecord = (batch: Batch, at: number) => HotItemEvent;

/** Several times the sum of all field limits. */
export const LARGEST_RECORD: number = 256 * 1024;
/** Prefix of each of our events; other records need a closer look. */
const OURS = '{"v":';

export function createReadRecord({ articleTimeZone, redact }: ReadRecordOptions): ReadRecord {
  return (batch, at) => {
    try {
      return readRecord(batch, at);
    } catch (error) {
      if (error instanceof EventError) throw error;
      throw new EventError('event', 'cannot be read', reasonOf(error));
    }
  };

  function readRecord(batch: Batch, at: number): HotItemEvent {
    const value = batch.values[at];
    if (value === undefined || value.length === 0) throw new EventError('event', 'has no value', undefined);
    if (value.length > LARGEST_RECORD)
      throw new EventError('event', `larger than ${LARGEST_RECORD} bytes`, value.length);
    const json = value.toString('utf8');
    if (json.startsWith(OURS)) return parsePlain(json) ?? parse(json);
    const message = fromJson(json);
    if (!isArticle(message)) return parse(json);
    refuseTooComplex(message);
    const place = `${batch.source.replaceAll('/', '-')}-${batch.position(at)}`;
    return redact(fromArticle(message, { place, time: batch.time?.(at), timeZone: articleTimeZone }));
  }
}

function fromJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
