import { isUtf8 } from 'node:buffer';
import { createReadStream, existsSync } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { mapInTurns } from '../../service/give-way.ts';
import type { KafkaClient, KafkaMessage } from '../kafka/client.ts';
import { KafkaError } from '../kafka/error.ts';
import { appendLines } from './append-lines.ts';

/** An event that no index will ever accept, or a record that is not an event. */
export type DeadLetter = {
  value: Buffer;
  /** Why, for people. */
  reason: string;
  /** Where it lay: `collection_hot_item/3/1207`. */
  origin: string;
  /** When the log had the record, ms since 1970; undefined where it does not say. */
  recorded?: number | undefined;
};

/** Stores them for a person to look at. Resolves once they are stored. */
export type DeadLetters = { add(letters: DeadLetter[]): Promise<void> };

/** Below Kafka's default limit of 1 MiB for a batch, with room for what surrounds the value. */
const LARGEST_VALUE = 900_000;
const LONGEST_REASON = 1000;
/** Less than that of a value or a reason says nothing. */
const SHORTEST = 64;
const LARGEST_FILE = 64 * 1024 * 1024;

/** Of the letters in a request, unless one alone is larger. */
const LARGEST_REQUEST = 512 * 1024;
const MOST_IN_REQUEST = 1000;
/** What a record and the names of its headers take, about. */
const RECORD_BYTES = 128;

/**
 * Letters are sent together: someone who writes a million records that are no events must not stop all others for as long as a million
 * requests take. What the topic does not accept together is sent in halves, and a letter alone is truncated until it fits: the limit of the
 * topic may be lower than that of the topic of the events.
 */
export function createDeadLetterTopic(client: KafkaClient, topic: string, now: () => number): DeadLetters {
  return {
    async add(letters) {
      for (const some of requestsOf(letters)) await addSome(some);
    },
  };

  async function addSome(letters: DeadLetter[]): Promise<void> {
    const [first] = letters;
    if (first !== undefined && letters.length === 1) return addOne(first);
    const messages = letters.map((letter) => toMessage(letter, firstCut(letter)));
    try {
      await client.send(topic, messages);
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      const middle = letters.length >> 1;
      await addSome(letters.slice(0, middle));
      await addSome(letters.slice(middle));
    }
  }

  async function addOne(letter: DeadLetter): Promise<void> {
    for (let cut = firstCut(letter); ; ) {
      try {
        await client.send(topic, [toMessage(letter, cut)]);
        return;
      } catch (error) {
        const smaller = nextCut(cut);
        if (!isTooLarge(error) || smaller === undefined) throw error;
        cut = smaller;
      }
    }
  }

  function toMessage(letter: DeadLetter, cut: Cut): KafkaMessage {
    return {
      value: letter.value.subarray(0, cut.value),
      headers: {
        reason: reasonWith(letter, cut),
        origin: letter.origin,
        time: new Date(now()).toISOString(),
        ...toRecorded(letter.recorded),
      },
    };
  }
}

function* requestsOf(letters: DeadLetter[]): Generator<DeadLetter[]> {
  let some: DeadLetter[] = [];
  let bytes = 0;
  for (const letter of letters) {
    const { value, reason } = firstCut(letter);
    const own = value + reason + RECORD_BYTES;
    if (some.length > 0 && (bytes + own > LARGEST_REQUEST || some.length === MOST_IN_REQUEST)) {
      yield some;
      some = [];
      bytes = 0;
    }
    some.push(letter);
    bytes += own;
  }
  if (some.length > 0) yield some;
}

function isTooLarge(error: unknown): boolean {
  return error instanceof KafkaError && error.failure === 'too_large';
}

/** How much of a letter is kept: bytes of its value, characters of its reason. */
type Cut = { value: number; reason: number };

function firstCut({ value, reason }: DeadLetter): Cut {
  return { value: Math.min(value.length, LARGEST_VALUE), reason: Math.min(reason.length, LONGEST_REASON) };
}

/** Of the value first, then of the reason; undefined where nothing is left to cut. */
function nextCut({ value, reason }: Cut): Cut | undefined {
  if (value > 0) return { value: value < SHORTEST ? 0 : value >> 1, reason };
  return reason > SHORTEST ? { value, reason: reason >> 1 } : undefined;
}

function reasonWith({ value, reason }: DeadLetter, cut: Cut): string {
  const isCut = cut.value < value.length;
  return `${reason.slice(0, cut.reason)}${isCut ? `, cut from ${value.length} to ${cut.value} bytes` : ''}`;
}

/** Letters about events of one spool among many: `spool/77` is called `web-1/BOOT/77`. */
export function nameSpool(letters: DeadLetters, { node, boot }: { node: string; boot: string }): DeadLetters {
  return {
    add: (some) =>
      letters.add(
        some.map((letter) => ({ ...letter, origin: letter.origin.replace(/^spool\//, `${node}/${boot}/`) })),
      ),
  };
}

export type DeadLetterFileOptions = {
  path: string;
  now: () => number;
  /** From which size on a new file is begun, bytes. */
  largest?: number;
  /** Called with the number of letters lost to a new file: those of the file before the last one. */
  onDropped: (letters: number) => void;
};

/** For the embedded index: JSON lines in `path`, and in one older file beside it once that holds 64 MB. */
export function createDeadLetterFile(options: DeadLetterFileOptions): DeadLetters {
  const { path, now, largest = LARGEST_FILE, onDropped } = options;
  return {
    async add(letters) {
      const lines = await mapInTurns(letters, ({ value, reason, origin, recorded }) =>
        JSON.stringify({
          time: new Date(now()).toISOString(),
          reason,
          origin,
          ...toRecorded(recorded),
          ...toText(value),
        }),
      );
      const size = await stat(path).then(
        (found) => found.size,
        () => 0,
      );
      if (size > largest) await beginAnother(path, onDropped);
      await appendLines(path, `${lines.join('\n')}\n`);
    },
  };
}

function toRecorded(time: number | undefined): { recorded?: string } {
  return time === undefined ? {} : { recorded: new Date(time).toISOString() };
}

async function beginAnother(path: string, onDropped: (letters: number) => void): Promise<void> {
  const older = `${path}.1`;
  const dropped = await countLetters(older);
  await rename(path, older);
  if (dropped > 0) onDropped(dropped);
}

/** Lines, but for the notes of what was replayed. */
async function countLetters(path: string): Promise<number> {
  if (!existsSync(path)) return 0;
  let letters = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (line !== '' && !line.startsWith('{"replayed":')) letters++;
  }
  return letters;
}

/** Bytes that are no text must come back as they were. */
function toText(value: Buffer): { value: string; encoding?: 'base64' } {
  if (isUtf8(value)) return { value: value.toString('utf8') };
  return { value: value.toString('base64'), encoding: 'base64' };
}
