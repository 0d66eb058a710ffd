// What a Kafka client does by itself, its messages lying ready: `node bare-producer.mjs CLIENT HEADERS BROKERS TOPIC
// PARTITIONS EVENTS FILE`. CLIENT is kafkajs or platformatic, HEADERS is event or row, FILE has an event a line, which are sent over
// and over until EVENTS were acknowledged. Writes what came out, as JSON.
//
// The client as it is installed, with what its users can set: gzip at level 1, sockets without Nagle's algorithm. The same
// records in the same rows, as many to a request and as many requests at once as a sidecar has by default.
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { gunzip, gzip, gzipSync } from 'node:zlib';

const [client, headersOn, brokers, topic, ...numbers] = process.argv.slice(2);
const [partitions, events] = numbers.slice(0, 2).map(Number);
const file = numbers[2];

const BATCH = 1_000;
const REQUESTS = 2;
/** As the sidecar's rows are. */
const ROW = 128;
const LEVEL = 1;
const WARM_UP = 0.25;
const ALL_REPLICAS = -1;
const NODE = Buffer.from('web-1');
const BOOT = Buffer.from('0123456789abcdef');
const NAMES = Object.fromEntries(['node', 'boot', 'seq', 'count'].map((name) => [name, Buffer.from(name)]));

const values = readFileSync(file, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => Buffer.from(line));
const { send, close } = client === 'kafkajs' ? await kafkajs() : await platformatic();

let taken = 0;
await sendUpTo(events * WARM_UP);
const began = { at: performance.now(), cpu: process.cpuUsage(), taken };
await sendUpTo(events);
const seconds = (performance.now() - began.at) / 1000;
const { user, system } = process.cpuUsage(began.cpu);
const sent = taken - began.taken;
process.stdout.write(
  `${JSON.stringify({ eventsPerSecond: sent / seconds, cpuPerEvent: (user + system) / sent, busyPercent: (user + system) / 1e4 / seconds })}\n`,
);
await close();
process.exit();

async function sendUpTo(end) {
  await Promise.all(
    Array.from({ length: REQUESTS }, async () => {
      while (taken < end) {
        const first = taken;
        taken += BATCH;
        await send(first);
      }
    }),
  );
}

/** Message `i` of a request whose first event is `first`. */
function headersOf(first, i) {
  const seq = Buffer.from(String(first + i));
  if (headersOn === 'event') return { node: NODE, boot: BOOT, seq };
  if (i % ROW !== 0) return undefined;
  return { node: NODE, boot: BOOT, seq, count: Buffer.from(String(Math.min(ROW, BATCH - i))) };
}

function partitionOf(first, i) {
  return (Math.floor(first / ROW) + Math.floor(i / ROW)) % partitions;
}

async function kafkajs() {
  const { default: library } = await import('kafkajs');
  library.CompressionCodecs[library.CompressionTypes.GZIP] = () => ({
    compress: ({ buffer }) => promisify(gzip)(buffer, { level: LEVEL }),
    decompress: promisify(gunzip),
  });
  const kafka = new library.Kafka({
    brokers: brokers.split(','),
    logLevel: library.logLevel.NOTHING,
    socketFactory: ({ host, port, onConnect }) => connect({ host, port }, onConnect).setNoDelay(true),
  });
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    createPartitioner: library.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  return {
    send: (first) =>
      producer.send({
        topic,
        acks: ALL_REPLICAS,
        compression: library.CompressionTypes.GZIP,
        messages: Array.from({ length: BATCH }, (_, i) => ({
          value: values[(first + i) % values.length],
          partition: partitionOf(first, i),
          headers: headersOf(first, i),
        })),
      }),
    close: () => producer.disconnect(),
  };
}

async function platformatic() {
  const { compressionsAlgorithms, Producer } = await import('@platformatic/kafka');
  const compressSync = (data) => gzipSync(Buffer.isBuffer(data) ? data : data.buffer, { level: LEVEL });
  Object.assign(compressionsAlgorithms.gzip, { compressSync });
  const producer = new Producer({
    clientId: 'bare',
    bootstrapBrokers: brokers.split(','),
    autocreateTopics: false,
    compression: 'gzip',
  });
  return {
    send: (first) =>
      producer.send({
        acks: ALL_REPLICAS,
        messages: Array.from({ length: BATCH }, (_, i) => {
          const headers = headersOf(first, i);
          const message = {
            topic,
            value: values[(first + i) % values.length],
            partition: partitionOf(first, i),
          };
          if (headers === undefined) return message;
          return {
            ...message,
            headers: new Map(Object.entries(headers).map(([name, value]) => [NAMES[name], value])),
          };
        }),
      }),
    close: () => producer.close(),
  };
}
