import { setTimeout as sleep } from 'node:timers/promises';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { withAdmin } from '../test/parts/kafka-admin.ts';
import { until } from '../test/parts/until.ts';

/** Where each partition ends. */
export type Offsets = Map<number, bigint>;

export type Topic = {
  ends(): Promise<Offsets>;
  /** How many different events lie behind `from`: by id where they have one. */
  distinctSince(from: Offsets): Promise<number>;
  /**
   * Waits until `records` are behind `from` and nothing more arrives, or nothing has arrived for long. `undefined` is for a producer that
   * may lose some. Returns when the last one was seen, by `performance.now()`: a record is visible once all in-sync replicas have it.
   */
  settled(from: Offsets, records: number | undefined): Promise<number>;
};

const LOOK_EVERY_MS = 50;
// The article's producer sends what is left once a second.
const QUIET_MS = 1_500;
// nginx asks a sidecar that was away again after 20 s; until then views wait in its zone.
const PATIENCE_MS = 40_000;
const READ_MS = 120_000;

/** A topic as seen from outside. It is connected only while asked, so that an idle client costs the bench nothing. */
export function watchTopic(brokers: string[], topic: string): Topic {
  const kafka = new Kafka({ clientId: 'hotitem-bench', brokers, logLevel: logLevel.NOTHING });
  let readers = 0;
  return { ends: () => withAdmin({ brokers }, endsOf), distinctSince, settled };

  function settled(from: Offsets, records = 0): Promise<number> {
    return withAdmin({ brokers }, async (admin) => {
      const expected = total(from) + records;
      let seen = total(await endsOf(admin));
      let since = performance.now();
      while (performance.now() - since < (seen >= expected ? QUIET_MS : PATIENCE_MS)) {
        await sleep(LOOK_EVERY_MS);
        const now = total(await endsOf(admin));
        if (now !== seen) since = performance.now();
        seen = now;
      }
      return since;
    });
  }

  async function distinctSince(from: Offsets): Promise<number> {
    const ends = await withAdmin({ brokers }, endsOf);
    const left = new Map([...ends].filter(([partition, end]) => end > (from.get(partition) ?? 0n)));
    if (left.size === 0) return 0;
    const ids = new Set<string>();
    const consumer = kafka.consumer({ groupId: `bench-${process.pid}-${readers++}` });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const begin = from.get(batch.partition) ?? 0n;
        for (const { offset, value } of batch.messages) {
          if (BigInt(offset) >= begin) ids.add(idOf(value) ?? `${batch.partition}/${offset}`);
        }
        if (BigInt(batch.lastOffset()) + 1n >= (ends.get(batch.partition) ?? 0n))
          left.delete(batch.partition);
      },
    });
    for (const [partition, offset] of from) consumer.seek({ topic, partition, offset: String(offset) });
    try {
      await until(() => left.size === 0, { timeoutMs: READ_MS, what: 'the topic to be read' });
    } finally {
      await consumer.disconnect();
    }
    return ids.size;
  }

  async function endsOf(admin: Admin): Promise<Offsets> {
    const partitions = await admin.fetchTopicOffsets(topic);
    return new Map(partitions.map(({ partition, high }) => [partition, BigInt(high)]));
  }
}

/** The sum over all partitions. */
export function total(offsets: Offsets): number {
  return [...offsets.values()].reduce((sum, offset) => sum + Number(offset), 0);
}

const KEY = '"id":"';
const ID_LENGTH = 32;

/** Without parsing: there are millions. */
function idOf(value: Buffer | null): string | undefined {
  const at = value?.indexOf(KEY) ?? -1;
  return value === null || at === -1
    ? undefined
    : value.toString('latin1', at + KEY.length, at + KEY.length + ID_LENGTH);
}
