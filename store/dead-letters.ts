import { isUtf8 } from 'node:buffer';
import { rename, stat } from 'node:fs/promises';
import { appendLines } from './append-lines.ts';
import type { KafkaClient } from './kafka-client.ts';

/** An event that no index will ever take, or something in a log that is no event. */
export type DeadLetter = {
  value: Buffer;
  /** Why, for people. */
  reason: string;
  /** Where it lay: `collection_hot_item/3/1207`. */
  origin: string;
  /** When the log had the record, ms since 1970; undefined where it does not say. */
  recorded?: number | undefined;
};

/** Where they wait for somebody to look. Resolves once they are kept. */
export type DeadLetters = { add(letters: DeadLetter[]): Promise<void> };

/** Below Kafka's default limit of 1 MiB for a batch, with room for what surrounds the value. */
const LARGEST_VALUE = 900_000;
const LARGEST_FILE = 64 * 1024 * 1024;

export function createDeadLetterTopic(client: KafkaClient, topic: string, now: () => number): DeadLetters {
  return {
    async add(letters) {
      // One at a time: they are rare, and together they might be too large for a batch.
      for (const { value, reason, origin, recorded } of letters) {
        const headers = {
          reason: reason.slice(0, 1000),
          origin,
          time: new Date(now()).toISOString(),
          ...toRecorded(recorded),
        };
        await client.send(topic, [{ value: value.subarray(0, LARGEST_VALUE), headers }]);
      }
    },
  };
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

/** For the embedded index: JSON lines in `path`, and in one older file beside it once that holds 64 MB. */
export function createDeadLetterFile(path: string, now: () => number): DeadLetters {
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
      if (size > LARGEST_FILE) await rename(path, `${path}.1`);
      await appendLines(path, `${lines.join('\n')}\n`);
    },
  };
}

function toRecorded(time: number | undefined): { recorded?: string } {
  return time === undefined ? {} : { recorded: new Date(time).toISOString() };
}

/** Bytes that are no text must come back as they were. */
function toText(value: Buffer): { value: string; encoding?: 'base64' } {
  if (isUtf8(value)) return { value: value.toString('utf8') };
  return { value: value.toString('base64'), encoding: 'base64' };
}
