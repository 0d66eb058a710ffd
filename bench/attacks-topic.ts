import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setUpIndexes } from '../test/integration/set-up.ts';
import { openSinkTopic } from '../test/integration/sink-topic.ts';
import { startElasticsearch } from '../test/parts/elasticsearch.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { type KafkaPart, startKafka } from '../test/parts/kafka.ts';
import { freePort } from '../test/parts/ports.ts';
import { startService } from '../test/parts/service.ts';
import { TOPIC_ATTACKS } from '../test/parts/topic-attacks.ts';
import { until } from '../test/parts/until.ts';
import type { BenchOptions } from './bench.ts';
import { type Attacked, lineOf, meterOf, nameOf, watchResponsiveness } from './responsiveness.ts';

const PARTITIONS = 3;
/** Of each attack, one behind the other. */
const TIMES = { full: 2, quick: 1 };
const QUICK_ATTACKS = 2;
const DONE_MS = 120_000;

const TARGETS = [
  { name: 'a sink with the embedded index, its topic attacked', indexes: 'duckdb' },
  { name: 'a sink with Elasticsearch, its topic attacked', indexes: 'elasticsearch' },
];

type Stage = { kafka: KafkaPart; folder: string; times: number };
/** `node`: undefined for the embedded index. */
type Target = { name: string; node: string | undefined };

/** Attacks a sink through its topic, with each index and in each way by itself, each a fresh sink. */
export async function attackTopic({ report, quick, isWanted }: BenchOptions): Promise<Attacked[]> {
  const attacks = Object.keys(TOPIC_ATTACKS).slice(0, quick ? QUICK_ATTACKS : undefined);
  const wanted = (target: string) => attacks.filter((attack) => isWanted(nameOf({ target, attack })));
  if (TARGETS.every(({ name }) => wanted(name).length === 0)) return [];
  const folder = temporaryFolder('attacks');
  const [kafka, elasticsearch] = await Promise.all([startKafka({ properties: {} }), startElasticsearch()]);
  const stage = { kafka, folder: folder.path, times: quick ? TIMES.quick : TIMES.full };
  const attacked: Attacked[] = [];
  try {
    for (const { name, indexes } of TARGETS) {
      const node = indexes === 'elasticsearch' ? elasticsearch.node : undefined;
      for (const attack of wanted(name)) {
        const one = await run(stage, { name, node }, attack);
        report(lineOf(one));
        attacked.push(one);
      }
    }
  } finally {
    await Promise.all([kafka.close(), elasticsearch.close()]);
    folder.remove();
  }
  return attacked;
}

async function run(
  { kafka, folder, times }: Stage,
  { name, node }: Target,
  attack: string,
): Promise<Attacked> {
  const id = `${node === undefined ? 'duckdb' : 'es'}_${attack.replaceAll(/\W+/g, '_')}`;
  const home = join(folder, id);
  mkdirSync(home);
  const meter = join(home, 'meter');
  const admin = `127.0.0.1:${await freePort()}`;
  const env = {
    HOTITEM_HOME: home,
    KAFKA_BROKERS: kafka.brokers.join(','),
    HOTITEM_KAFKA_TOPIC: id,
    HOTITEM_KAFKA_DEAD_LETTER_TOPIC: `${id}.dead`,
    HOTITEM_KAFKA_GROUP: id,
    HOTITEM_KAFKA_PARTITIONS: String(PARTITIONS),
    HOTITEM_ADMIN_SINK_LISTEN: admin,
    ...(node !== undefined && {
      ELASTICSEARCH_NODE: node,
      HOTITEM_ELASTICSEARCH_DATA_STREAM: `hot_item_${id}`,
    }),
  };
  await setUpIndexes(env);
  const topic = await openSinkTopic(env);
  for (let time = 0; time < times; time++)
    await TOPIC_ATTACKS[attack]?.({ brokers: kafka.brokers, topic: id, partitions: PARTITIONS });
  const sink = await startService({
    args: ['sink'],
    env: { ...env, ...meterOf(meter) },
    admin,
    logFile: join(home, 'log'),
    waitFor: '/livez',
  });
  try {
    const watched = await watchResponsiveness(sink, meter);
    const isDone = async () =>
      (await topic.offsets()).every(({ end, committed }) => end > 0 && committed === end);
    await until(isDone, {
      timeoutMs: DONE_MS,
      everyMs: 200,
      what: 'the end of the topic',
      detail: () => sink.log(),
    });
    return { target: name, attack, ...(await watched.stop()) };
  } finally {
    await sink.kill();
    await topic.close();
  }
}
