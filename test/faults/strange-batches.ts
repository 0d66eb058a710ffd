import kafkajs from 'kafkajs';
import { CODECS, writeAllCodecs } from '../parts/codecs.ts';
import { batchesOnDisk, flipBit, mend, type SegmentBatch } from '../parts/kafka-segment.ts';
import { until } from '../parts/until.ts';
import type { Stage } from './stage.ts';

/** How the ids of those events begin that no nginx of the stage has seen. */
export const FOREIGN = 'foreign-';
const OF_EACH_CODEC = 25;
/** So many behind those that a sink may have fetched before it was paused. */
const BEHIND = 3;

/** Events of some other producer, a batch in each codec that Kafka has. */
export async function writeForeign({ kafka, topic, foreign }: Stage): Promise<void> {
  writeAllCodecs();
  const client = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING });
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  for (const [name, compression] of Object.entries(CODECS)) {
    const messages = Array.from({ length: OF_EACH_CODEC }, (_, i) => {
      const id = `${FOREIGN}${name}-${i}`;
      foreign.push(id);
      return {
        partition: 0,
        value: JSON.stringify({ v: 1, id, time: Date.now(), uri: '/web/item/1.html', item: '1' }),
      };
    });
    await producer.send({ topic, compression, messages });
  }
  await producer.disconnect();
}

/**
 * Damages a batch on Kafka's disk that the sink has not fetched, and mends it when the sink has given it up: the topic must
 * then say what was in it. Does nothing with a Kafka whose disk is out of reach.
 */
export async function damageOne(stage: Stage): Promise<void> {
  const { chain, kafka, topic, setAside } = stage;
  const data = kafka.nodes[0]?.data;
  if (data === undefined) return;
  chain.sink?.pause();
  const damaged = await newBatch(data, topic);
  flipBit(damaged);
  chain.sink?.resume();
  const { offset, count } = damaged;
  setAside.push({ partition: 0, first: offset, last: offset + count - 1 });
  const isGivenUp = async () => ((await chain.accounts()).sink?.dead ?? 0) >= count;
  await until(isGivenUp, {
    timeoutMs: 60_000,
    what: 'the damaged batch to be given up',
    detail: () => chain.logs(),
  });
  mend(damaged);
}

async function newBatch(data: string, topic: string): Promise<SegmentBatch> {
  const before = batchesOnDisk(data, topic, 0).length;
  let batches: SegmentBatch[] = [];
  const isThere = () => {
    batches = batchesOnDisk(data, topic, 0);
    return batches.length >= before + BEHIND;
  };
  await until(isThere, {
    timeoutMs: 60_000,
    what: 'new batches in partition 0',
    detail: () => `${batches.length}`,
  });
  const last = batches.at(-1);
  if (last === undefined) throw new Error('partition 0 is empty');
  return last;
}
