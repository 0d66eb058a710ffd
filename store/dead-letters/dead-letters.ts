import { isUtf8 } from 'node:buffer';
import { createReadStream, existsSync } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { mapInTurns } from '../../service/give-way.ts';
import { createMutex } from '../../service/mutex.ts';
import type { KafkaClient, KafkaMessage } from '../kafka/client.ts';
import { KafkaError } from '../kafka/error.ts';
import { appendLines } from './append-lines.ts';

/** An event that every index rejects permanently, or a record that is not an event. */
export type DeadLetter = {
  value: Buffer;
  /** The reason, for people. */
  reason: string;
  /** Where the record was: `collection_hot_item/3/1207`. */
  origin: string;
  /** When the log received the record, ms since 1970; undefined if it does not know. */
  recorded?: number | undefined;
};

/** Stores dead letters for inspection. Resolves once they are stored. */
export type DeadLetters = { add(letters: DeadLetter[]): Promise<void> };

/** Below Kafka's default limit of 1 MiB for a batch, with room for the overhead. */
const LARGEST_VALUE = 900_000;
const LONGEST_REASON = 1000;
/** A value or a reason shorter than this is useless. */
const SHORTEST = 64;
const LARGEST_FILE = 64 * 1024 * 1024;

/** Maximum size of a request, unless a single letter is larger. */
const LARGEST_REQUEST = 512 * 1024;
const MOST_IN_REQUEST = 1000;
/** Approximate overhead of a record and its header names. */
const RECORD_BYTES = 128;

/**
 * Letters are sent in batches: a producer of a million records that are not events must not delay all others for a million requests. A
 * batch that the topic rejects is sent in halves, and a single letter is truncated until it fits: the topic may have a lower limit than
 * that of the events.
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

/** How much of a letter is stored: bytes of its value, characters of its reason. */
type Cut = { value: number; reason: number };

function firstCut({ value, reason }: DeadLetter): Cut {
  return { value: Math.min(value.length, LARGEST_VALUE), reason: Math.min(reason.length, LONGEST_REASON) };
}

/** Shortens the value first, then the reason; undefined if nothing is left to cut. */
function nextCut({ value, reason }: Cut): Cut | undefined {
  if (value > 0) return { value: value < SHORTEST ? 0 : value >> 1, reason };
  return reason > SHORTEST ? { value, reason: reason >> 1 } : undefined;
}

function reasonWith({ value, reason }: DeadLetter, cut: Cut): string {
  const isCut = cut.value < value.length;
  return `${reason.slice(0, cut.reason)}${isCut ? `, cut from ${value.length} to ${cut.value} bytes` : ''}`;
}

/** Qualifies the origin of events of a spool among others: `spool/77` becomes `web-1/BOOT/77`. */
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
  /** The size at which a new file is begun, bytes. */
  largest?: number;
  /** Called with the number of letters lost when a new file is begun: those of the file before the last. */
  onDropped: (letters: number) => void;
};

/** For the embedded index: JSON lines in `path`, rotated at 64 MB, with one older file. */
export function createDeadLetterFile(options: DeadLetterFileOptions): DeadLetters {
  const { path, now, largest = LARGEST_FILE, onDropped } = options;
  // Sinks of events and of decisions share a file.
  const inTurn = createMutex();
  return { add: (letters) => inTurn(() => addNow(letters)) };

  async function addNow(letters: DeadLetter[]): Promise<void> {
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
  }
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

/** Counts lines, except notes of replays. */
async function countLetters(path: string): Promise<number> {
  if (!existsSync(path)) return 0;
  let letters = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (line !== '' && !line.startsWith('{"replayed":')) letters++;
  }
  return letters;
}

/** Bytes that are not text must survive. */
function toText(value: Buffer): { value: string; encoding?: 'base64' } {
  if (isUtf8(value)) return { value: value.toString('utf8') };
  return { value: value.toString('base64'), encoding: 'base64' };
}
