import type { HotItemEvent } from '../event/event.ts';
import { whyTooComplex } from '../event/json-limits.ts';
import type { EventError } from '../event/parse.ts';
import { toJson } from '../service/json-text.ts';
import { LARGEST_RECORD } from './read-record.ts';

/** The content of a dead letter about a record. */
export type LetterContent = { value: Buffer; reason: string };

export type LetterRules<One = HotItemEvent> = {
  /** `privacy.ip: full` and nothing is omitted. */
  keepsAll: boolean;
  redact: (event: One) => One;
};

/** Never throws, whatever the record is: the reason says what cannot be stored. */
export type LetterContents<One = HotItemEvent> = {
  /** For a record that is not an event. */
  ofInvalid(record: Buffer, error: EventError): LetterContent;
  /** For an event that the index rejects: redacted as it would have been in the index, with its id. */
  ofRejected(event: One, reason: string): LetterContent;
};

const NOTHING = Buffer.alloc(0);
const TOKEN = /token/i;
/** Characters as numbers, as in JSON, URIs and HTML: they may encode letters. */
const ESCAPED = /\\[ux]|%[0-9a-f]{2}|&#/i;
/** Shortest run that may be base64 of the word. */
const BASE64 = /[\w+/-]{7,}/g;
/** How many layers of encoding are examined. */
const DEPTH = 3;

/**
 * What may be stored of records that cannot be indexed. If a visitor's address is not stored in full, or fields are omitted,
 * nothing is stored of a record that is not an event, neither in value nor in reason: no pattern finds every address in bytes that
 * could not be parsed, and a hash of them reveals an address to anyone who tries all of them. The origin is its position in
 * Kafka. Otherwise it is stored unchanged, unless it may contain the token of a message in the article's format, which is never stored.
 */
export function createLetterContents<One>({ keepsAll, redact }: LetterRules<One>): LetterContents<One> {
  return {
    ofInvalid: (record, error) => orNothing(error.problem, () => ofInvalid(record, error)),
    ofRejected: (event, reason) => orNothing(reason, () => ofRejected(event, reason)),
  };

  function ofInvalid(record: Buffer, error: EventError): LetterContent {
    if (record.length === 0) return { value: NOTHING, reason: error.message };
    const beginning = record.length > LARGEST_RECORD ? record.subarray(0, LARGEST_RECORD) : record;
    const kept = keepsAll ? withoutToken(beginning) : undefined;
    if (kept === undefined) {
      const reason = `${error.problem} (${record.length} bytes, not kept for privacy)`;
      return { value: NOTHING, reason };
    }
    if (beginning !== record) {
      const cut = `, cut from ${record.length} to ${kept.length} bytes`;
      return { value: kept, reason: `${error.problem}${cut}` };
    }
    return { value: kept, reason: kept === record ? error.message : error.problem };
  }

  function ofRejected(event: One, reason: string): LetterContent {
    return { value: Buffer.from(JSON.stringify(redact(event))), reason };
  }
}

function orNothing(reason: string, content: () => LetterContent): LetterContent {
  try {
    return content();
  } catch {
    return { value: NOTHING, reason: `${reason} (it cannot be stored)` };
  }
}

/** The record, or the parts of its JSON without the token; undefined if it may contain a token that cannot be removed. */
function withoutToken(record: Buffer): Buffer | undefined {
  if (!mayHoldToken(record)) return record;
  const message = toJson(record.toString('utf8'));
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return undefined;
  if (whyTooComplex(message) !== undefined) return undefined;
  const rest = Object.entries(message).filter(([name]) => name.toLowerCase() !== 'token');
  const bytes = Buffer.from(JSON.stringify(Object.fromEntries(rest)));
  return mayHoldToken(bytes) ? undefined : bytes;
}

/** Whether it contains the word, or encoded characters that may contain it. */
function mayHoldToken(bytes: Buffer, depth = DEPTH): boolean {
  // UTF-16 has a zero byte beside each character.
  const text = bytes.toString('latin1').replaceAll('\0', '');
  if (TOKEN.test(text) || ESCAPED.test(text)) return true;
  if (depth === 0) return false;
  const runs = text.match(BASE64) ?? [];
  // A run may begin before the encoded part.
  return runs.some((run) =>
    [0, 1, 2, 3].some((skip) => mayHoldToken(Buffer.from(run.slice(skip), 'base64'), depth - 1)),
  );
}
