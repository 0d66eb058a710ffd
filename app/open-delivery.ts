import { type BringInTo, bringIn } from '../reconcile/bring-in.ts';
import type { Config } from '../service/config/config.ts';
import { type ReadRecord, readDecision } from '../sink/read-record.ts';
import type { KeptLetter } from '../store/dead-letters/box.ts';
import type { KafkaClient, KafkaMessage } from '../store/kafka/client.ts';
import { KafkaError } from '../store/kafka/error.ts';
import { connectKafka } from './connect-kafka.ts';
import type { Core } from './core.ts';
import { isOfDecision, toDecisionMessage } from './decision-delivery.ts';
import { connectDecisions } from './open-index.ts';
import { openLookup } from './open-lookup.ts';
import { inLetter, recordReader } from './record-reader.ts';

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
    const lookup = await openLookup(core);
    return both(config, toIndex(lookup.name, lookup, read), await decisionsToIndex(core));
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
      const isDecision = letters.map((letter) => isOfDecision(letter, config));
      const ofEvents = await events.deliver(letters.filter((_, i) => !isDecision[i]));
      const ofDecisions = await decisions.deliver(letters.filter((_, i) => isDecision[i]));
      return isDecision.map((is) => (is ? ofDecisions : ofEvents).shift());
    },
    async close() {
      await Promise.all([events.close(), decisions.close()]);
    },
  };
}

type Reasons = (string | undefined)[];

/** Sends what `make` makes of letters, or gives its reason why it makes nothing of one. Returns the reasons in the order of the letters. */
async function deliverMade<Made extends object>(
  letters: KeptLetter[],
  make: (letter: KeptLetter) => Made | string,
  send: (made: Made[]) => Promise<Reasons>,
): Promise<Reasons> {
  const made = letters.map(make);
  const reasons = await send(made.filter((one) => typeof one !== 'string'));
  return made.map((one) => (typeof one === 'string' ? one : reasons.shift()));
}

function toTopic(
  client: KafkaClient,
  topic: string,
  make: (letter: KeptLetter) => KafkaMessage | string,
): Delivery {
  return {
    name: `Kafka topic ${topic}`,
    deliver: (letters) =>
      deliverMade(letters, (letter) => (letter.value.length === 0 ? NOT_KEPT : make(letter)), send),
    close: () => client.close(),
  };

  async function send(messages: KafkaMessage[]): Promise<Reasons> {
    if (messages.length === 0) return [];
    try {
      await client.send(topic, messages);
      return messages.map(() => undefined);
    } catch (error) {
      if (!(error instanceof KafkaError) || error.retriable) throw error;
      if (messages.length === 1) return [error.message];
    }
    // One invalid record makes the whole batch fail.
    const reasons: Reasons = [];
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
  const event = inLetter(letter, read);
  const value = typeof event === 'string' ? letter.value : Buffer.from(JSON.stringify(event));
  return { value, headers: { replayed_from: letter.origin }, time: letter.recorded };
}

/** The process that has the embedded index takes decisions from its own outbox only. */
async function decisionsToIndex({ config, parts }: Core): Promise<Delivery> {
  const name = 'the decisions of the index';
  if (parts.index === 'duckdb')
    return { name, deliver: async (letters) => letters.map(() => NOT_EMBEDDED), close: async () => {} };
  return toIndex(name, await connectDecisions(config), readDecision);
}

const NOT_EMBEDDED = 'decisions are not replayed into the embedded index: what is hot is told again';

function toIndex<One extends { id: string }>(
  name: string,
  index: BringInTo<One> & { close(): Promise<void> },
  read: ReadRecord<One>,
): Delivery {
  return {
    name,
    deliver: (letters) =>
      deliverMade(
        letters,
        (letter) => inLetter(letter, read),
        async (some) => {
          const outcomes = await bringIn(index, some);
          return outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined));
        },
      ),
    close: () => index.close(),
  };
}
