import kafkajs from 'kafkajs';
import { type Bomb, makeBomb, sendBomb } from '../parts/bombs.ts';
import { PITS } from '../parts/nasty-records.ts';
import type { Stage } from './stage.ts';

const PARTITIONS = [0, 1, 2];

/** Records that are nested without end, each a dead letter, into one partition after the other. */
export async function writePits({ kafka, topic, bombs }: Stage): Promise<void> {
  const client = new kafkajs.Kafka({ brokers: kafka.brokers, logLevel: kafkajs.logLevel.NOTHING });
  const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  const pits = Object.values(PITS);
  for (const partition of PARTITIONS) {
    const [written] = await producer.send({ topic, messages: pits.map((value) => ({ partition, value })) });
    const first = Number(written?.baseOffset);
    bombs.push({ partition, first, last: first + pits.length - 1, letters: pits.length });
  }
  await producer.disconnect();
}

/**
 * Batches that unpack to as much as one may, a dead letter for each record, and to more, one for all: into several partitions, one
 * behind the other, for the client that writes them has one codec for all.
 */
export async function writeBombs({ kafka, topic, bombs }: Stage): Promise<void> {
  const [near, far] = [await makeBomb(15), await makeBomb(100)];
  for (const partition of PARTITIONS) {
    await write(partition, near, near.count);
    await write(partition, far, 1);
  }

  async function write(partition: number, bomb: Bomb, letters: number): Promise<void> {
    const first = await sendBomb({ brokers: kafka.brokers, topic, partition }, bomb);
    bombs.push({ partition, first, last: first + bomb.count - 1, letters });
  }
}
