import { type Admin, Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { withAdmin } from '../parts/kafka-admin.ts';
import { until } from '../parts/until.ts';

/** What a test wants to know of a message. */
export type TopicRecord = {
  id: string;
  /** The query of the view: its name. */
  args: string;
  /** Which spool it comes from, and where it lay in it. */
  boot: string;
  seq: number;
  /** Where it lies. */
  partition: number;
  offset: number;
};

export type WatchedTopic = {
  /** Hands out every message that is in it now. */
  read(onRecord: (record: TopicRecord) => void): Promise<void>;
  records(): Promise<TopicRecord[]>;
  /** How many messages it holds. */
  count(): Promise<number>;
  /** How many of them `group` has committed. */
  committed(group: string): Promise<number>;
};

const READ_MS = 120_000;

/** A topic as seen from outside, by no client of ours. */
export function watchTopic(brokers: string[], topic: string): WatchedTopic {
  const kafka = new Kafka({ clientId: 'hotitem-faults', brokers, logLevel: logLevel.NOTHING });
  let readers = 0;
  return {
    read,
    async records() {
      const found: TopicRecord[] = [];
      await read((record) => found.push(record));
      return found;
    },
    count: async () => sum((await withAdmin({ brokers }, endsOf)).values()),
    committed: (group) =>
      withAdmin({ brokers }, async (admin) => {
        const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
        // -1 where nothing was committed.
        return sum(found?.partitions.map(({ offset }) => Math.max(0, Number(offset))) ?? []);
      }),
  };

  async function read(onRecord: (record: TopicRecord) => void): Promise<void> {
    const ends = await withAdmin({ brokers }, endsOf);
    const left = new Set([...ends].filter(([, end]) => end > 0).map(([partition]) => partition));
    if (left.size === 0) return;
    // It disconnects only when the last fetch is answered.
    const consumer = kafka.consumer({
      groupId: `${topic}-reader-${process.pid}-${readers++}`,
      maxWaitTimeInMs: 100,
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    /** Of each partition: a consumer that was away for too long joins again, and gets what it had. */
    const next = new Map<number, number>();
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const message of batch.messages) {
          const record = toRecord(batch.partition, message);
          if (record.offset < (next.get(batch.partition) ?? 0)) continue;
          next.set(batch.partition, record.offset + 1);
          onRecord(record);
        }
        if (Number(batch.lastOffset()) + 1 >= (ends.get(batch.partition) ?? 0)) left.delete(batch.partition);
      },
    });
    try {
      await until(() => left.size === 0, { timeoutMs: READ_MS, what: `topic ${topic} to be read` });
    } finally {
      await consumer.disconnect();
    }
  }

  async function endsOf(admin: Admin): Promise<Map<number, number>> {
    const partitions = await admin.fetchTopicOffsets(topic);
    return new Map(partitions.map(({ partition, high }) => [partition, Number(high)]));
  }
}

function toRecord(partition: number, { offset, value, headers = {} }: KafkaMessage): TopicRecord {
  const text = value?.toString() ?? '';
  return {
    id: field(text, 'id'),
    args: field(text, 'args'),
    boot: String(headers.boot ?? ''),
    seq: Number(String(headers.seq ?? -1)),
    partition,
    offset: Number(offset),
  };
}

/** Without parsing: there are millions, and what is asked for here holds no escape. */
function field(json: string, name: string): string {
  const key = `"${name}":"`;
  const at = json.indexOf(key);
  return at === -1 ? '' : json.slice(at + key.length, json.indexOf('"', at + key.length));
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, one) => total + one, 0);
}
