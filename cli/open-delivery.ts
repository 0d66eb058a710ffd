import type { HotItemEvent } from '../event/event.ts';
import { EventError } from '../event/parse.ts';
import { bringIn } from '../sink/bring-in.ts';
import type { ReadRecord } from '../sink/read-record.ts';
import type { KeptLetter } from '../store/dead-letter-box.ts';
import type { EventLookup } from '../store/event-lookup.ts';
import type { KafkaClient } from '../store/kafka-client.ts';
import { KafkaError } from '../store/kafka-error.ts';
import { type Core, connectKafka } from './core.ts';
import { openLookup } from './open-lookup.ts';
import { recordReader } from './record-reader.ts';

/** Where dead letters go that are replayed. */
export type Delivery = {
  /** For people. */
  name: string;
  /** Says of each letter why it cannot go there, or undefined. Rejects when nothing can be said now. */
  deliver(letters: KeptLetter[]): Promise<(string | undefined)[]>;
  close(): Promise<void>;
};

/** With Kafka the topic of the events, from where a sink takes them again; without it the index. */
export async function openDelivery(core: Core): Promise<Delivery> {
  const { config } = core;
  if (config.kafka.brokers.length > 0) return toTopic(await connectKafka(core), config.kafka.topic);
  return toIndex(await openLookup(config), recordReader(config));
}

function toTopic(client: KafkaClient, topic: string): Delivery {
  return { name: `Kafka topic ${topic}`, deliver, close: () => client.close() };

  async function deliver(letters: KeptLetter[]): Promise<(string | undefined)[]> {
    try {
      await client.send(topic, letters.map(toMessage));
      return letters.map(() => undefined);
    } catch (error) {
      if (!(error instanceof KafkaError) || error.retriable) throw error;
      if (letters.length === 1) return [error.message];
    }
    // One of them spoils the batch.
    const reasons: (string | undefined)[] = [];
    for (const letter of letters) reasons.push(...(await deliver([letter])));
    return reasons;
  }
}

/** Without a sequence: it is not the spool that sends it. */
function toMessage({ value, origin }: KeptLetter) {
  return { value, headers: { replayed_from: origin } };
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
function toEvent({ value, origin, time }: KeptLetter, read: ReadRecord): HotItemEvent | string {
  const slash = origin.lastIndexOf('/');
  const batch = {
    source: origin.slice(0, slash),
    values: [value],
    position: () => origin.slice(slash + 1),
    time: () => time,
  };
  try {
    return read(batch, 0);
  } catch (error) {
    if (!(error instanceof EventError)) throw error;
    return error.message;
  }
}
