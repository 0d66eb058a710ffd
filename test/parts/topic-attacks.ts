import kafkajs from 'kafkajs';
import { makeBomb, sendBomb } from './bombs.ts';
import { CODECS, writeAllCodecs } from './codecs.ts';
import { ARTICLE, PITS } from './nasty-records.ts';

/** The target: every partition gets the same. */
export type AttackedTopic = { brokers: string[]; topic: string; partitions: number };

const MIB = 1024 * 1024;
/** The limit of an uncompressed batch is 16 MiB. */
const LARGE_RECORDS = 15;
/** The limit of records per batch is 50,000. */
const SMALL_RECORDS = 10_000;
const LISTS = 4;
/** 240 KiB once they are encoded three times. */
const ENCODED_BYTES = 100 * 1024;
const ENCODED_RECORDS = 60;
const EVENTS_A_LIST = 8_000;
const GZIP_BOMB_MB = 100;
const HEX = 16;

/**
 * Writes what an attacker with Write on the topic could send to fill the memory of a sink, or to keep it busy: batches that decompress
 * to a thousand times their size. Resolves when everything is written.
 */
export const TOPIC_ATTACKS: Record<string, (to: AttackedTopic) => Promise<void>> = {
  'records nested without end': (to) => write(to, Object.values(PITS)),
  'large records, gzip': (to) => write(to, largeRecords(), CODECS.gzip),
  'large records, snappy': (to) => write(to, largeRecords(), CODECS.snappy),
  'large records, lz4': (to) => write(to, largeRecords(), CODECS.lz4),
  'large records, zstd': (to) => write(to, largeRecords(), CODECS.zstd),
  'more than may be unpacked': async ({ brokers, topic, partitions }) => {
    const bomb = await makeBomb(GZIP_BOMB_MB);
    for (let partition = 0; partition < partitions; partition++)
      await sendBomb({ brokers, topic, partition }, bomb);
  },
  'many records that are no events, lz4': (to) =>
    write(
      to,
      Array.from({ length: SMALL_RECORDS }, () => 'x'),
      CODECS.lz4,
    ),
  'many messages that hold a token, lz4': (to) =>
    write(
      to,
      Array.from({ length: SMALL_RECORDS }, () => JSON.stringify({ ...ARTICLE, uri: 'no path' })),
      CODECS.lz4,
    ),
  'base64 in base64 in base64, gzip': (to) => write(to, encoded(), CODECS.gzip),
  'many small events, lz4': (to) =>
    write(
      to,
      Array.from({ length: SMALL_RECORDS }, (_, i) => JSON.stringify(event(i))),
      CODECS.lz4,
    ),
  'lists of events, gzip': (to) => write(to, lists(), CODECS.gzip),
  'lists of events, lz4': (to) => write(to, lists(), CODECS.lz4),
};

function largeRecords(): Buffer[] {
  const value = Buffer.alloc(MIB, 'a');
  return Array.from({ length: LARGE_RECORDS }, () => value);
}

/** Text that is searched for a token, wrapped up to the limit. */
function encoded(): Buffer[] {
  let text = Buffer.alloc(ENCODED_BYTES, 'no secret in here ');
  for (let wrapped = 0; wrapped < 3; wrapped++) text = Buffer.from(text.toString('base64'));
  return Array.from({ length: ENCODED_RECORDS }, () => text);
}

/** Just below the size up to which a list is split. */
function lists(): string[] {
  return Array.from({ length: LISTS }, (_, list) =>
    JSON.stringify(Array.from({ length: EVENTS_A_LIST }, (_, i) => event(list * EVENTS_A_LIST + i))),
  );
}

/** The smallest possible record. */
function event(i: number): object {
  return { v: 1, id: i.toString(HEX).padStart(32, '0'), time: Date.now(), uri: '/a', item: 'a' };
}

/** One batch for each partition. */
async function write(
  { brokers, topic, partitions }: AttackedTopic,
  values: (string | Buffer)[],
  compression?: number,
): Promise<void> {
  writeAllCodecs();
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  try {
    for (let partition = 0; partition < partitions; partition++) {
      const messages = values.map((value) => ({ partition, value }));
      await producer.send({ topic, messages, ...(compression !== undefined && { compression }) });
    }
  } finally {
    await producer.disconnect();
  }
}
