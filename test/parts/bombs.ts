import { once } from 'node:events';
import { createGzip } from 'node:zlib';
import kafkajs from 'kafkajs';

/** A batch that is small in Kafka and large when decompressed. */
export type Bomb = {
  /** The number of records, also in its header. */
  count: number;
  packed: Buffer;
};

const GZIP = 1;
const MB = 1024 * 1024;

/** Records of 1 MiB each, compressed to a thousandth. All are valid, because a broker checks each of them. */
export async function makeBomb(megabytes: number): Promise<Bomb> {
  const gzip = createGzip({ level: 9 });
  const packed: Buffer[] = [];
  gzip.on('data', (some: Buffer) => packed.push(some));
  const value = Buffer.alloc(MB, 'a');
  for (let i = 0; i < megabytes; i++) if (!gzip.write(toRecord(i, value))) await once(gzip, 'drain');
  gzip.end();
  await once(gzip, 'end');
  return { count: megabytes, packed: Buffer.concat(packed) };
}

/** Writes a bomb as one batch. Resolves with the offset of its first record. */
export async function sendBomb(
  { brokers, topic, partition }: { brokers: string[]; topic: string; partition: number },
  { count, packed }: Bomb,
): Promise<number> {
  const { CompressionCodecs } = kafkajs;
  const ofOthers = CompressionCodecs[GZIP];
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
  await producer.connect();
  // The client counts these messages, and sends the output of the codec.
  const messages = Array.from({ length: count }, () => ({ partition, value: '' }));
  CompressionCodecs[GZIP] = () => ({
    compress: async () => packed,
    decompress: async (bytes: Buffer) => bytes,
  });
  try {
    const [written] = await producer.send({ topic, compression: GZIP, messages });
    return Number(written?.baseOffset);
  } finally {
    CompressionCodecs[GZIP] = ofOthers;
    await producer.disconnect();
  }
}

/** A record in a batch, see "Record" in Kafka's description of its formats. */
function toRecord(offsetDelta: number, value: Buffer): Buffer {
  const head = Buffer.concat([
    Buffer.from([0]),
    varint(0),
    varint(offsetDelta),
    varint(-1),
    varint(value.length),
  ]);
  const noHeaders = varint(0);
  return Buffer.concat([varint(head.length + value.length + noHeaders.length), head, value, noHeaders]);
}

function varint(number: number): Buffer {
  const bytes: number[] = [];
  let left = number < 0 ? -2 * number - 1 : 2 * number;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) | 0x80);
  return Buffer.from([...bytes, left]);
}
