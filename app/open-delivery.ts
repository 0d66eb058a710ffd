import type { HotItemEvent } from '../event/event.ts';
import { EventError } from '../event/parse.ts';
import { bringIn } from '../reconcile/bring-in.ts';
import type { ReadRecord } from '../sink/read-record.ts';
import type { KeptLetter } from '../store/dead-letters/box.ts';
import type { EventLookup } from '../store/event-lookup.ts';
import type { KafkaClient, KafkaMessage } from '../store/kafka/client.ts';
import { KafkaError } from '../store/kafka/error.ts';
import { connectKafka } from './connect-kafka.ts';
import type { Core } from './core.ts';
import { openLookup } from './open-lookup.ts';
import { recordReader } from './record-reader.ts';

/** The destination of replayed dead letters. */
export type Delivery = {
  /** For people. */
  name: string;
  /** For each letter: why it cannot be delivered, or undefined. Rejects if that cannot be determined now. */
  deliver(letters: KeptLetter[]): Promise<(string | undefined)[]>;
  close(): Promise<void>;
};

/** With Kafka the topic of the events, from where a sink takes them again; without it the index. */
export async function openDelivery(core: Core): Promise<Delivery> {
  const read = recordReader(core.config);
  if (core.parts.kafka) return toTopic(await connectKafka(core), core.config.kafka.topic, read);
  return toIndex(await openLookup(core.config), read);
}

function toTopic(client: KafkaClient, topic: string, read: ReadRecord): Delivery {
  return { name: `Kafka topic ${topic}`, deliver, close: () => client.close() };

  async function deliver(letters: KeptLetter[]): Promise<(string | undefined)[]> {
    const whole = letters.filter(({ value }) => value.length > 0);
    const reasons = await send(whole);
    return letters.map((letter) => (letter.value.length === 0 ? NOT_KEPT : reasons[whole.indexOf(letter)]));
  }

  async function send(letters: KeptLetter[]): Promise<(string | undefined)[]> {
    if (letters.length === 0) return [];
    try {
      await client.send(
        topic,
        letters.map((letter) => toMessage(letter, read)),
      );
      return letters.map(() => undefined);
    } catch (error) {
      if (!(error instanceof KafkaError) || error.retriable) throw error;
      if (letters.length === 1) return [error.message];
    }
    // One of them spoils the batch.
    const reasons: (string | undefined)[] = [];
    for (const letter of letters) reasons.push(...(await send([letter])));
    return reasons;
  }
}

const NOT_KEPT = 'its record was not kept; if it is still in Kafka, `hotitem replay` reads it there';

/**
 * With the time of its record: thousands of letters of a week must not look like a rush. Without a sequence: it is not
 * the spool that sends it. A message in the article's format goes as the event that it is, with the id that its place gives:
 * at another position, each replay would create another event.
 */
function toMessage(letter: KeptLetter, read: ReadRecord): KafkaMessage {
  const event = toEvent(letter, read);
  const value = typeof event === 'string' ? letter.value : Buffer.from(JSON.stringify(event));
  return { value, headers: { replayed_from: letter.origin }, time: letter.recorded };
}

function toIndex(lookup: EventLookup, read: ReadRecord): Delivery {
  return { name: lookup.name, deliver, close: lookup.close };

  async function deliver(letters: KeptLetter[]): Promise<(string | undefined)[]> {
    const found = letters.map((letter) => toEvent(letter, read));
    const events = found.filter((one) => typeof one !== 'string');
    const outcomes = await bringIn(lookup, events);
    return found.map((one) => {
      if (typeof one === 'string') return one;
      const outcome = outcomes[events.indexOf(one)];
      return outcome?.status === 'rejected' ? outcome.reason : undefined;
    });
  }
}

/** The event, or why it is none. */
function toEvent(
  { value, origin, time, recorded = time }: KeptLetter,
  read: ReadRecord,
): HotItemEvent | string {
  const slash = origin.lastIndexOf('/');
  const batch = {
    source: origin.slice(0, slash),
    values: [value],
    position: () => origin.slice(slash + 1),
    time: () => recorded,
  };
  try {
    return read(batch, 0);
  } catch (error) {
    if (!(error instanceof EventError)) throw error;
    return error.message;
  }
}
