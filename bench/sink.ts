import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HotItemEvent } from '../event/event.ts';
import { createKafkajsClient } from '../store/kafka/kafkajs/kafkajs.ts';
import { createKafkaLog } from '../store/kafka/topic-log.ts';
import { setUpIndexes } from '../test/integration/set-up.ts';
import { type ElasticsearchPart, startElasticsearch } from '../test/parts/elasticsearch.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { type KafkaPart, startKafka } from '../test/parts/kafka.ts';
import { until } from '../test/parts/until.ts';
import { obtainRsyslog, type Rsyslog } from '../test/provision/rsyslog.ts';
import type { Bench, Case, Outcome } from './bench.ts';
import { cpuMicroseconds } from './cpu.ts';
import { readyBodies, sendBare } from './sink-bare.ts';
import { indexed, type Run, survey, watchIndex } from './sink-index.ts';
import { loadEvents } from './sink-load.ts';
import { startOurs } from './sink-ours.ts';
import { startRsyslog } from './sink-rsyslog.ts';
import { median, round } from './statistics.ts';
import { atLeast, atMost } from './target.ts';

const EVENTS = { full: 500_000, quick: 50_000 };
/** The bare limit itself swings by a fifth from one to the next. */
const ROUNDS = { full: 5, quick: 1 };
/** What the bare limit is looked for among: documents a request, and requests at once. */
const BARE = { sizes: [1_000, 2_500, 5_000], requests: [2, 3, 4] };
const PARTITIONS = 6;
const TOPIC = 'bench_sink';
const NEW_DOCUMENT_MS = 60_000;

/** Share of the documents that is not measured: a process that was just started compiles its code as it goes. */
const WARM_UP = 0.2;

/** CPU time is that of a million documents behind the warm-up. */
type Measured = Run & { cpuSeconds: number; rssMb: number };
type Killed = { name: string; firstMs: number; missing: number; twice: number };

/** A group and an index of its own for each contender. */
type Fresh = { group: string; index: string };

export const sink: Bench = {
  about:
    'Kafka to searchable in Elasticsearch: the sink beside the bare limit and rsyslog, and after kill -9',
  async run({ report, quick }) {
    const rsyslog = await obtainRsyslog({ report });
    const [kafka, elasticsearch] = await Promise.all([
      startKafka({ properties: {} }),
      startElasticsearch({ javaOptions: '-Xms1g -Xmx1g' }),
    ]);
    const folder = temporaryFolder('bench-sink');
    try {
      const stage = await createStage({ rsyslog, kafka, elasticsearch, folder: folder.path, report, quick });
      return await measure(stage, { report, quick });
    } finally {
      await Promise.all([kafka.close(), elasticsearch.close()]);
      folder.remove();
    }
  },
};

type StageOptions = {
  rsyslog: Rsyslog;
  kafka: KafkaPart;
  elasticsearch: ElasticsearchPart;
  folder: string;
  report: (line: string) => void;
  quick: boolean;
};

type Stage = {
  events: number;
  bestBare(): Promise<{ size: number; requests: number }>;
  bare(how: { size: number; requests: number }): Promise<Measured>;
  ours(): Promise<Measured>;
  rsyslog(): Promise<Measured>;
  oursKilled(): Promise<Killed>;
  rsyslogKilled(): Promise<Killed>;
};

async function measure(
  stage: Stage,
  { report, quick }: { report: (line: string) => void; quick: boolean },
): Promise<Outcome> {
  // Compiled, caches filled, and the first segments written.
  const how = await stage.bestBare();
  report(`the bare limit is best with ${how.size} documents a request, ${how.requests} requests at once`);
  const rounds: { bare: Measured; ours: Measured; rsyslog: Measured }[] = [];
  for (let i = 0; i < (quick ? ROUNDS.quick : ROUNDS.full); i++) {
    const bare = await stage.bare(how);
    report(`round ${i + 1}: bare ${Math.round(bare.rate)}/s`);
    const ours = await stage.ours();
    report(`round ${i + 1}: sink ${Math.round(ours.rate)}/s, ${ours.cpuSeconds} CPU s a million`);
    const rsyslog = await stage.rsyslog();
    report(`round ${i + 1}: rsyslog ${Math.round(rsyslog.rate)}/s, ${rsyslog.cpuSeconds} CPU s a million`);
    rounds.push({ bare, ours, rsyslog });
  }
  const killed = [await stage.oursKilled(), await stage.rsyslogKilled()];
  return outcome(rounds, killed, how);
}

async function createStage(options: StageOptions): Promise<Stage> {
  const { rsyslog, kafka, elasticsearch, folder, report, quick } = options;
  const { node } = elasticsearch;
  const { brokers } = kafka;
  const load = loadEvents(quick ? EVENTS.quick : EVENTS.full);
  await fill();
  let used = 0;
  return {
    events: load.length,
    bestBare,
    bare: (how) => sendAll(load, how),
    ours: () =>
      through(async ({ group, index }) => {
        const service = await startOurs({ folder, brokers, topic: TOPIC, group, node, dataStream: index });
        return { pid: service.pid(), kill: () => service.kill() };
      }),
    rsyslog: () => through(startTheirs),
    oursKilled,
    rsyslogKilled,
  };

  async function fill(): Promise<void> {
    const client = createKafkajsClient({ brokers, clientId: 'bench', onWarning: report });
    const spec = { partitions: PARTITIONS, replicationFactor: 1, retentionMs: 86_400_000 };
    await client.setup(
      [
        { ...spec, topic: TOPIC },
        { ...spec, topic: `${TOPIC}.dead` },
      ],
      { dryRun: false },
    );
    const log = createKafkaLog({
      client,
      topic: TOPIC,
      concurrency: 1,
      headers: { node: 'web-1', boot: 'b' },
    });
    for (let from = 0; from < load.length; from += 1_000) {
      const values = load.slice(from, from + 1_000).map((event) => Buffer.from(JSON.stringify(event)));
      await log.append({ source: 'bench', values, position: String });
    }
    await client.close();
    report(`${load.length} events of ${JSON.stringify(load[0]).length} bytes in ${PARTITIONS} partitions`);
  }

  async function bestBare(): Promise<{ size: number; requests: number }> {
    const warm = load.slice(0, Math.min(load.length, 150_000));
    const tried: { size: number; requests: number; rate: number }[] = [];
    for (const pass of quick ? ['measured'] : ['warm', 'measured']) {
      for (const size of BARE.sizes) {
        for (const requests of BARE.requests) {
          const run = await sendAll(warm, { size, requests });
          if (pass === 'measured') tried.push({ size, requests, rate: run.rate });
        }
      }
    }
    const [best = { size: 1_000, requests: 3 }] = tried.toSorted((a, b) => b.rate - a.rate);
    return best;
  }

  async function sendAll(
    events: HotItemEvent[],
    { size, requests }: { size: number; requests: number },
  ): Promise<Measured> {
    const bodies = await readyBodies(events, size);
    const { index } = fresh();
    await setUpIndexes({ ELASTICSEARCH_NODE: node, HOTITEM_ELASTICSEARCH_DATA_STREAM: index });
    const [run] = await Promise.all([
      watch(index, { expected: events.length, pid: process.pid }),
      sendBare({ node, dataStream: index, bodies, requests }),
    ]);
    await remove(index);
    return { ...run, rssMb: Number.NaN };
  }

  async function through(
    start: (fresh: Fresh) => Promise<{ pid: number; kill(): Promise<void> }>,
  ): Promise<Measured> {
    const names = fresh();
    const running = await start(names);
    try {
      const run = await watch(names.index, { expected: load.length, pid: running.pid });
      return { ...run, rssMb: peakMb(running.pid) };
    } finally {
      await running.kill();
      await remove(names.index);
    }
  }

  async function watch(
    index: string,
    { expected, pid }: { expected: number; pid: number },
  ): Promise<Omit<Measured, 'rssMb'>> {
    let before = 0;
    const onWarm = () => {
      before = cpuMicroseconds([pid]);
    };
    const run = await watchIndex({ node, index, expected, warmUp: expected * WARM_UP, onWarm });
    const used = cpuMicroseconds([pid]) - before;
    return { ...run, cpuSeconds: round(used / run.measured) };
  }

  async function startTheirs(fresh: Fresh) {
    await setUpIndexes({ ELASTICSEARCH_NODE: node, HOTITEM_ELASTICSEARCH_DATA_STREAM: fresh.index });
    return runTheirs(fresh);
  }

  function runTheirs({ group, index }: Fresh) {
    return startRsyslog({
      rsyslog,
      folder: join(folder, group),
      brokers,
      topic: TOPIC,
      group,
      node,
      dataStream: index,
    });
  }

  async function oursKilled(): Promise<Killed> {
    const { group, index } = fresh();
    const service = await startOurs({ folder, brokers, topic: TOPIC, group, node, dataStream: index });
    await halfway(index);
    await service.kill();
    const restarted = performance.now();
    await service.start();
    const firstMs = await firstNew(index, restarted);
    const killed = await rest(index, { name: 'hotitem sink', firstMs });
    await service.kill();
    return killed;
  }

  async function rsyslogKilled(): Promise<Killed> {
    const names = fresh();
    const first = await startTheirs(names);
    await halfway(names.index);
    await first.kill();
    const restarted = performance.now();
    const { index } = names;
    const second = runTheirs(names);
    const firstMs = await firstNew(index, restarted);
    const killed = await rest(index, { name: `rsyslog ${rsyslog.version}`, firstMs });
    await second.kill();
    return killed;
  }

  async function halfway(index: string): Promise<void> {
    const half = async () => (await indexed(node, index)) > load.length / 3;
    await until(half, { timeoutMs: NEW_DOCUMENT_MS, everyMs: 10, what: 'a third of the documents' });
  }

  /** What was on its way to Elasticsearch when the process died is not what the new one brings. */
  async function firstNew(index: string, since: number): Promise<number> {
    let before = await indexed(node, index);
    for (let same = 0; same < 5; same++) {
      const now = await indexed(node, index);
      if (now !== before) same = 0;
      before = now;
    }
    await until(async () => (await indexed(node, index)) > before, {
      timeoutMs: NEW_DOCUMENT_MS,
      what: 'a new document after the restart',
    });
    return performance.now() - since;
  }

  async function rest(index: string, { name, firstMs }: { name: string; firstMs: number }): Promise<Killed> {
    await watchIndex({ node, index, expected: load.length });
    const ids = load.map(({ id }) => id);
    const { missing, twice } = await survey(node, index, ids);
    await remove(index);
    return { name, firstMs, missing, twice };
  }

  function fresh(): Fresh {
    used++;
    return { group: `bench-${used}`, index: `hot_item_bench_${used}` };
  }

  async function remove(index: string): Promise<void> {
    await fetch(`${node}/_data_stream/${index}`, { method: 'DELETE' });
    await fetch(`${node}/${index}`, { method: 'DELETE' });
    await fetch(`${node}/_index_template/${index}`, { method: 'DELETE' });
  }
}

function outcome(
  rounds: { bare: Measured; ours: Measured; rsyslog: Measured }[],
  killed: Killed[],
  { size, requests }: { size: number; requests: number },
): Outcome {
  const row = (name: string, runs: Measured[]): Case => ({
    case: name,
    documents_per_second: Math.round(median(runs.map(({ rate }) => rate))),
    cpu_s_per_million: round(median(runs.map(({ cpuSeconds }) => cpuSeconds))),
    rss_mb: Math.round(median(runs.map(({ rssMb }) => rssMb))),
    fewest_documents: Math.min(...runs.map(({ documents }) => documents)),
  });
  const ratio = (over: (one: (typeof rounds)[number]) => number) => round(median(rounds.map(over)), 2);
  const ofBare = ratio(({ ours, bare }) => ours.rate / bare.rate);
  const ofRsyslog = ratio(({ ours, rsyslog }) => ours.rate / rsyslog.rate);
  const ofCpu = ratio(({ ours, rsyslog }) => ours.cpuSeconds / rsyslog.cpuSeconds);
  const [mine = { firstMs: Number.NaN, missing: Number.NaN, twice: Number.NaN }] = killed;
  return {
    tables: [
      {
        title: `Kafka → searchable, medians of ${rounds.length}`,
        cases: [
          row(
            `bare bulk requests of ${size}, ${requests} at once`,
            rounds.map(({ bare }) => bare),
          ),
          row(
            'hotitem sink',
            rounds.map(({ ours }) => ours),
          ),
          row(
            'rsyslog, imkafka → omelasticsearch',
            rounds.map(({ rsyslog }) => rsyslog),
          ),
        ],
      },
      {
        title: 'kill -9 after a third, and started again',
        cases: killed.map(({ name, firstMs, missing, twice }) => ({
          case: name,
          first_new_document_ms: Math.round(firstMs),
          missing,
          duplicates: twice,
        })),
      },
    ],
    targets: [
      atLeast('documents/s, of the bare limit', ofBare, 0.85),
      atLeast("documents/s, of rsyslog's", ofRsyslog, 1),
      atMost("CPU, of rsyslog's", ofCpu, 0.45),
      {
        target: 'first new document after kill -9 and restart < 10 s',
        measured: round(mine.firstMs / 1000),
        reached: mine.firstMs < 10_000,
      },
      { target: 'none missing after kill -9', measured: mine.missing, reached: mine.missing === 0 },
      { target: 'none twice after kill -9', measured: mine.twice, reached: mine.twice === 0 },
    ],
    notes: [
      `All three make the same documents. Measured behind the first ${WARM_UP * 100} %; CPU of the bare limit is that of sending alone.`,
    ],
  };
}

/** The most that the process has held, as the kernel remembers it. */
function peakMb(pid: number): number {
  const found = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(found) / 1024);
}
