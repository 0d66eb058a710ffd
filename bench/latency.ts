import { join } from 'node:path';
import { setUpIndexes } from '../test/integration/set-up.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { startKafka } from '../test/parts/kafka.ts';
import type { Bench, Case, Outcome } from './bench.ts';
import { type Contender, obtainBuilds, renderContenders } from './contenders.ts';
import { MEASURED_PAGE, WARM_UP_PAGE } from './edge.ts';
import { type OpenLoop, openLoop } from './open-loop.ts';
import { startBenchSidecar } from './sidecar.ts';
import { median, percentile, round } from './statistics.ts';
import { atMost } from './target.ts';
import { type Topic, watchTopic } from './topic.ts';

const RATE = 3_000;
const WARM_UP_SECONDS = 1;
/** What capture adds is no more than what the page takes by itself. */
const MOST_BY_PLAIN = 2;

type Figures = {
  p50: number;
  p99: number;
  p999: number;
  worst: number;
  /** `p99FromDue` includes the lateness of the sender itself, which `late` shows. */
  p99FromDue: number;
  late: number;
  failed: number;
};
type Runs = { contender: Contender; rounds: Figures[] };

export const latency: Bench = {
  about: `what capture adds to a page at ${RATE} views/s, open loop: each transport beside plain and the Lua`,
  async run({ report, quick }) {
    const rounds = quick ? 1 : 5;
    const seconds = quick ? 2 : 8;
    const builds = await obtainBuilds(report);
    const kafka = await startKafka({ version: '3.9.1' });
    const { path: folder, remove } = temporaryFolder('latency');
    await setUpIndexes({ KAFKA_BROKERS: kafka.brokers.join(','), HOTITEM_HOME: folder });
    const sidecar = await startBenchSidecar({ home: join(folder, 'home'), brokers: kafka.brokers });
    try {
      const topic = watchTopic(kafka.brokers, 'collection_hot_item');
      const { socket, spill } = sidecar;
      const broker = kafka.brokers[0] ?? '';
      const contenders = await renderContenders({ builds, folder, socket, spill, broker });
      const runs = contenders.map((contender): Runs => ({ contender, rounds: [] }));
      for (let round = 1; round <= rounds; round++) {
        for (const { contender, rounds } of runs) {
          const figures = figuresOf(await measure(contender, seconds, topic));
          rounds.push(figures);
          report(`round ${round}: ${contender.name}: p99 ${figures.p99.toFixed(2)} ms`);
        }
      }
      return outcome(runs);
    } finally {
      await sidecar.stop();
      await kafka.close();
      remove();
    }
  },
};

async function measure({ edge, what }: Contender, seconds: number, topic: Topic): Promise<OpenLoop> {
  const from = await topic.ends();
  const nginx = await edge.start();
  const views = { port: edge.port, ratePerSecond: RATE };
  try {
    const warmUp = await openLoop({ ...views, path: WARM_UP_PAGE, seconds: WARM_UP_SECONDS });
    const measured = await openLoop({ ...views, path: MEASURED_PAGE, seconds });
    const captured = answered(warmUp) + answered(measured);
    // So that nothing is left to do beside the next one.
    if (what !== 'plain') await topic.settled(from, what === 'article' ? undefined : captured);
    return measured;
  } finally {
    await nginx.quit();
  }
}

function answered({ latenciesMs, failed }: OpenLoop): number {
  return latenciesMs.length - failed;
}

function figuresOf({ latenciesMs, latenessMs, ownMs, failed }: OpenLoop): Figures {
  return {
    p50: percentile(ownMs, 0.5),
    p99: percentile(ownMs, 0.99),
    p999: percentile(ownMs, 0.999),
    worst: percentile(ownMs, 1),
    p99FromDue: percentile(latenciesMs, 0.99),
    late: percentile(latenessMs, 0.99),
    failed,
  };
}

function outcome(runs: Runs[]): Outcome {
  const cases = runs.map((run) => row(run, plainOf(run)));
  const ours = cases.filter((_, i) => !['plain', 'article'].includes(runs[i]?.contender.what ?? ''));
  return {
    tables: [{ title: `pages at ${RATE} views/s, one worker, the whole chain beside it`, cases }],
    targets: [
      ...ours.map((one) => atMost(`p99, by plain's, ${one.case}`, Number(one.p99_by_plain), MOST_BY_PLAIN)),
      atMost(
        'failed pages',
        cases.reduce((sum, { failed_pages }) => sum + Number(failed_pages), 0),
        0,
      ),
    ],
    notes: [
      "Latency is from when a view was due, less what the sender itself came late for want of a core (sender_late_p99_ms); a wait for a free connection counts. from_due: with the sender's lateness. added: median of the differences to plain on the same nginx in the same round.",
    ],
  };

  function plainOf({ contender }: Runs): Runs {
    const plain = runs.find(
      ({ contender: { what, version } }) => what === 'plain' && version === contender.version,
    );
    if (plain === undefined) throw new Error(`no plain rewrite on nginx ${contender.version}`);
    return plain;
  }
}

function row({ contender, rounds }: Runs, plain: Runs): Case {
  const of = (figure: keyof Figures) => round(median(rounds.map((one) => one[figure])), 2);
  const added = (figure: 'p50' | 'p99' | 'p99FromDue') =>
    round(median(rounds.map((one, i) => one[figure] - (plain.rounds[i]?.[figure] ?? Number.NaN))), 2);
  return {
    case: contender.name,
    p50_ms: of('p50'),
    p99_ms: of('p99'),
    p99_9_ms: of('p999'),
    worst_ms: round(Math.max(...rounds.map(({ worst }) => worst)), 1),
    added_p50_ms: added('p50'),
    added_p99_ms: added('p99'),
    p99_by_plain: round(median(rounds.map(({ p99 }, i) => p99 / (plain.rounds[i]?.p99 ?? Number.NaN))), 2),
    p99_from_due_ms: of('p99FromDue'),
    added_p99_from_due_ms: added('p99FromDue'),
    sender_late_p99_ms: of('late'),
    failed_pages: rounds.reduce((sum, { failed }) => sum + failed, 0),
  };
}
