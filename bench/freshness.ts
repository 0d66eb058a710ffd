import { setTimeout as sleep } from 'node:timers/promises';
import { obtainNginx } from '../provision/nginx.ts';
import { type Chain, ITEMS, startChain } from '../test/integration/chain.ts';
import { setUpIndexes } from '../test/integration/set-up.ts';
import { startElasticsearch } from '../test/parts/elasticsearch.ts';
import { startKafka } from '../test/parts/kafka.ts';
import { views as view } from '../test/parts/load.ts';
import type { Bench, Case, Outcome } from './bench.ts';
import { percentile, round } from './statistics.ts';

const WARM_UP = 30;
const PROBES = 200;
const PATIENCE_MS = 20_000;
const LOOK_EVERY_MS = 5;
const REFRESH_MS = 1_000;

export const freshness: Bench = {
  about: 'from a view to /api/v1/items (embedded) and to a searchable document (Kafka and Elasticsearch)',
  async run({ report }) {
    const embedded = await inEmbedded(report);
    const distributed = await inDistributed(report);
    return outcome(embedded, distributed);
  },
};

async function inEmbedded(report: (line: string) => void): Promise<number[]> {
  const chain = await startChain({ build: await obtainNginx({ suite: 'trixie', report }) });
  report('embedded: nginx, sidecar, DuckDB');
  try {
    return await probe(chain, report, async (item) => {
      const { items } = await chain.sidecar.json<Ranking>(`/api/v1/items?window=1h&limit=200&rank=all`);
      return items.find((one) => one.item === item)?.all ?? 0;
    });
  } finally {
    await chain.close();
  }
}

async function inDistributed(report: (line: string) => void): Promise<number[]> {
  const [kafka, elasticsearch] = await Promise.all([startKafka(), startElasticsearch()]);
  const env = { KAFKA_BROKERS: kafka.brokers.join(','), ELASTICSEARCH_NODE: elasticsearch.node };
  await setUpIndexes(env);
  const chain = await startChain({
    build: await obtainNginx({ suite: 'trixie', report }),
    env,
    withSink: true,
  });
  report(`distributed: nginx, sidecar, ${kafka.describe}, sink, ${elasticsearch.describe}`);
  try {
    return await probe(chain, report, async (item) => {
      const reply = await fetch(
        `${elasticsearch.node}/hot_item/_count?q=hot_item.id:${item}&ignore_unavailable=true`,
      );
      return ((await reply.json()) as { count: number }).count;
    });
  } finally {
    await chain.close();
    await Promise.all([kafka.close(), elasticsearch.close()]);
  }
}

type Ranking = { items: { item: string; all: number }[] };

/** Views one item after the other, and waits for each until it shows. Returns the times in ms. */
async function probe(
  chain: Chain,
  report: (line: string) => void,
  views: (item: string) => Promise<number>,
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < WARM_UP + PROBES; i++) {
    const item = String((i % Math.min(ITEMS, 150)) + 1);
    const before = await views(item);
    // Somewhere in the second, not in step with a refresh.
    await sleep(Math.random() * 100);
    const began = performance.now();
    await view({ port: chain.port, paths: [`/web/item/${item}.html`] });
    while ((await views(item)) <= before) {
      if (performance.now() - began > PATIENCE_MS)
        throw new Error(`a view of ${item} did not show\n${await chain.logs()}`);
      await sleep(LOOK_EVERY_MS);
    }
    if (i >= WARM_UP) times.push(performance.now() - began);
    if (i % 50 === 49) report(`${i + 1} of ${WARM_UP + PROBES} views`);
  }
  return times;
}

function outcome(embedded: number[], distributed: number[]): Outcome {
  const cases = [
    row('embedded: view to /api/v1/items', embedded),
    row(`distributed: view to searchable (refresh ${REFRESH_MS} ms)`, distributed),
  ];
  const [here = Number.NaN, there = Number.NaN] = cases.map((one) => Number(one.p99_ms));
  return {
    tables: [{ title: 'from a view to where it shows', cases }],
    targets: [
      { target: 'embedded p99 < 1000 ms', measured: here, reached: here < 1_000 },
      {
        target: `distributed p99 < ${2_000 + REFRESH_MS} ms`,
        measured: there,
        reached: there < 2_000 + REFRESH_MS,
      },
    ],
  };
}

function row(name: string, times: number[]): Case {
  return {
    case: name,
    views: times.length,
    p50_ms: round(percentile(times, 0.5)),
    p99_ms: round(percentile(times, 0.99)),
    worst_ms: round(Math.max(...times)),
  };
}
