import type { KafkaClient } from '../kafka/client.ts';
import type { TopicReader, TopicRecord } from '../kafka/topic-reader.ts';
import { offsetsOf, recordsIn, type Undecodable } from '../undecodable.ts';
import type { DeadLetterBox, KeptLetter } from './box.ts';

export type DeadLetterTopicOptions = { topic: string; reader: TopicReader; client: KafkaClient };

/** Header of a note: the id of the letter that was replayed. Notes have no value. */
const REPLAYED = 'replayed';
const NOTES_AT_ONCE = 500;
/** Letters kept in memory, so that they need not be read again. */
const MOST_HELD = 32 * 1024 * 1024;
/** Approximate overhead of a record. */
const RECORD_BYTES = 1024;
const ID = /^(\d{1,9})\/(\d{1,18})$/;

/** The topic that `createDeadLetterTopic` writes to. */
export function createDeadLetterTopicBox({ topic, reader, client }: DeadLetterTopicOptions): DeadLetterBox {
  return { name: `Kafka topic ${topic}`, read, find, markReplayed, purge, close };

  async function read(
    handle: (letter: KeptLetter) => void | Promise<void>,
    onLook?: () => void,
  ): Promise<void> {
    const bounds = await reader.bounds(topic);
    const replayed = new Set<string>();
    const held: TopicRecord[] = [];
    let bytes = 0;
    // A note follows its letter, possibly in another partition: all are read before the first letter is passed on.
    await reader.read(topic, bounds, async (records) => {
      onLook?.();
      for (const record of records) {
        const note = record.headers[REPLAYED];
        bytes += record.value.length + RECORD_BYTES;
        if (note !== undefined) replayed.add(note);
        else if (bytes <= MOST_HELD) held.push(record);
      }
    });
    if (bytes <= MOST_HELD) {
      await hand(held);
      return;
    }
    held.length = 0;
    await reader.read(topic, bounds, hand);

    async function hand(records: TopicRecord[]): Promise<void> {
      for (const record of records) {
        if (record.undecodable !== undefined) await handle(toUnreadable(topic, record, record.undecodable));
        else if (record.headers[REPLAYED] === undefined) await handle(toLetter(record, replayed));
      }
    }
  }

  async function find(id: string): Promise<KeptLetter | undefined> {
    if (!ID.test(id)) return undefined;
    let found: KeptLetter | undefined;
    await read((letter) => {
      if (letter.id === id) found = letter;
    });
    return found;
  }

  async function markReplayed(ids: string[]): Promise<void> {
    for (let at = 0; at < ids.length; at += NOTES_AT_ONCE) {
      const some = ids.slice(at, at + NOTES_AT_ONCE);
      await client.send(
        topic,
        some.map((id) => ({ value: Buffer.alloc(0), headers: { [REPLAYED]: id } })),
      );
    }
  }

  async function purge(time: number): Promise<void> {
    await reader.deleteBefore(topic, await reader.offsetsAt(topic, time));
  }

  async function close(): Promise<void> {
    await Promise.all([reader.close(), client.close()]);
  }
}

function toLetter(
  { partition, offset, time, value, headers }: TopicRecord,
  replayed: Set<string>,
): KeptLetter {
  const id = `${partition}/${offset}`;
  return {
    id,
    time: toTime(headers.time) ?? time,
    recorded: toTime(headers.recorded),
    reason: headers.reason ?? 'unknown',
    origin: headers.origin ?? 'unknown',
    value,
    replayed: replayed.has(id),
  };
}

/** Represents letters that cannot be decoded. */
function toUnreadable(topic: string, { partition, time }: TopicRecord, undecodable: Undecodable): KeptLetter {
  const offsets = offsetsOf(undecodable);
  const records = recordsIn(undecodable);
  return {
    id: `${partition}/${offsets}`,
    time: Math.max(0, time),
    recorded: undefined,
    reason: `${records} dead letters cannot be decoded: ${undecodable.reason}`,
    origin: `${topic}/${partition}/${offsets}`,
    value: Buffer.alloc(0),
    replayed: false,
    undecodable: records,
  };
}

function toTime(text = ''): number | undefined {
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}
