import type { HotItemEvent } from '../event/event.ts';
import { EventError } from '../event/parse.ts';
import { bringIn } from '../reconcile/bring-in.ts';
import type { Config } from '../service/config/config.ts';
import type { ReadRecord } from '../sink/read-record.ts';
import type { KeptLetter } from '../store/dead-letters/box.ts';
import type { EventLookup } from '../store/event-lookup.ts';
import type { KafkaClient, KafkaMessage } from '../store/kafka/client.ts';
import { KafkaError } from '../store/kafka/error.ts';
import { connectKafka } from './connect-kafka.ts';
import type { Core } from './core.ts';
import { isOfDecision, toDecision, toDecisionMessage } from './decision-delivery.ts';
import { elasticsearchConnection } from './open-index.ts';
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

/** With Kafka the topic that a letter is from, from where a sink takes it again; without it the index. */
export async function openDelivery(core: Core): Promise<Delivery> {
  const { config, parts } = core;
  const read = recordReader(config);
  if (!parts.kafka) {
    const events = toIndex(await openLookup(config), read);
    return both(config, events, await decisionsToIndex(core));
  }
  const client = await connectKafka(core);
  const { topic, decision_topic } = config.kafka;
  const events = toTopic(client, topic, (letter) => toMessage(letter, read));
  return both(config, events, toTopic(client, decision_topic, toDecisionMessage));
}

/** What is about decisions goes its own way. */
function both(config: Config, events: Delivery, decisions: Delivery): Delivery {
  return {
    name: events.name,
    async deliver(letters) {
      const ofDecisions = letters.filter((letter) => isOfDecision(letter, config));
      const others = letters.filter((letter) => !ofDecisions.includes(letter));
      const [first, second] = [await events.deliver(others), await decisions.deliver(ofDecisions)];
      return letters.map((letter) => {
        const at = ofDecisions.indexOf(letter);
        return at === -1 ? first[others.indexOf(letter)] : second[at];
      });
    },
    async close() {
      await Promise.all([events.close(), decisions.close()]);
    },
  };
}

type Prepare = (letter: KeptLetter) => KafkaMessage | string;

function toTopic(client: KafkaClient, topic: string, prepare: Prepare): Delivery {
  return { name: `Kafka topic ${topic}`, deliver, close: () => client.close() };

  async function deliver(letters: KeptLetter[]): Promise<(string | undefined)[]> {
    const prepared = letters.map((letter) => (letter.value.length === 0 ? NOT_KEPT : prepare(letter)));
    const messages = prepared.filter((one) => typeof one !== 'string');
    const reasons = await send(messages);
    return prepared.map((one) => (typeof one === 'string' ? one : reasons[messages.indexOf(one)]));
  }

  async function send(messages: KafkaMessage[]): Promise<(string | undefined)[]> {
    if (messages.length === 0) return [];
    try {
      await client.send(topic, messages);
      return messages.map(() => undefined);
    } catch (error) {
      if (!(error instanceof KafkaError) || error.retriable) throw error;
      if (messages.length === 1) return [error.message];
    }
    // One invalid record makes the whole batch fail.
    const reasons: (string | undefined)[] = [];
    for (const message of messages) reasons.push(...(await send([message])));
    return reasons;
  }
}

const NOT_KEPT = 'its record was not kept; if it is still in Kafka, `hotitem replay` reads it there';

/**
 * The record keeps its time: a week of letters must not look like a rush. It has no sequence, because it does not come from the spool. A
 * message in the article's format is sent as the event with the id of its original position; at a new position, each replay would create
 * another event.
 */
function toMessage(letter: KeptLetter, read: ReadRecord): KafkaMessage {
  const event = toEvent(letter, read);
  const value = typeof event === 'string' ? letter.value : Buffer.from(JSON.stringify(event));
  return { value, headers: { replayed_from: letter.origin }, time: letter.recorded };
}

/** The process that has the embedded index takes decisions from its own outbox only. */
async function decisionsToIndex({ config, parts }: Core): Promise<Delivery> {
  const name = 'the decisions of the index';
  if (parts.index === 'duckdb')
    return { name, deliver: async (letters) => letters.map(() => NOT_EMBEDDED), close: async () => {} };
  const { createElasticsearchDecisions } = await import('../store/elasticsearch/decisions.ts');
  const { decision_data_stream: dataStream } = config.elasticsearch;
  const index = createElasticsearchDecisions({ ...elasticsearchConnection(config), dataStream });
  return { name, deliver, close: index.close };

  async function deliver(letters: KeptLetter[]): Promise<(string | undefined)[]> {
    const found = letters.map(toDecision);
    const decisions = found.filter((one) => typeof one !== 'string');
    const outcomes = decisions.length === 0 ? [] : await index.create(decisions);
    return found.map((one) => {
      if (typeof one === 'string') return one;
      const outcome = outcomes[decisions.indexOf(one)];
      return outcome === undefined || 'reason' in outcome ? (outcome?.reason ?? 'no answer') : undefined;
    });
  }
}

const NOT_EMBEDDED = 'decisions are not replayed into the embedded index: what is hot is told again';

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

/** The event, or why it is not one. */
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
