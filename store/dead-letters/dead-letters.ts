import { isUtf8 } from 'node:buffer';
import { createReadStream, existsSync } from 'node:fs';
import { rename, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { KafkaClient } from '../kafka/client.ts';
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

/** A letter is truncated until the topic accepts it: its limit may be lower than that of the topic of the events. */
export function createDeadLetterTopic(client: KafkaClient, topic: string, now: () => number): DeadLetters {
  return {
    async add(letters) {
      // One at a time: they are rare, and together they might be too large for a batch.
      for (const letter of letters) await addOne(letter);
    },
  };

  async function addOne(letter: DeadLetter): Promise<void> {
    const time = new Date(now()).toISOString();
    for (let cut = firstCut(letter); ; ) {
      const value = letter.value.subarray(0, cut.value);
      const headers = {
        reason: reasonWith(letter, cut),
        origin: letter.origin,
        time,
        ...toRecorded(letter.recorded),
      };
      try {
        await client.send(topic, [{ value, headers }]);
        return;
      } catch (error) {
        const smaller = nextCut(cut);
        if (!(error instanceof KafkaError && error.failure === 'too_large') || smaller === undefined)
          throw error;
        cut = smaller;
      }
    }
  }
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
      const lines = letters.map(({ value, reason, origin, recorded }) =>
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
