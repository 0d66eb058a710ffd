import { join } from 'node:path';
import type { NginxBuild } from '../provision/nginx.ts';
import { setUpIndexes } from '../test/integration/set-up.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { type KafkaPart, startKafka } from '../test/parts/kafka.ts';
import { obtainWrk } from '../test/provision/wrk.ts';
import { startAnswerer } from './answerer.ts';
import type { Bench } from './bench.ts';
import {
  aloneTable,
  aloneTargets,
  type Chain,
  type ChainSample,
  chainTable,
  chainTargets,
  type Delivery,
  type Runs,
} from './capture-outcome.ts';
import { runStates } from './capture-states.ts';
import { type Contender, obtainBuilds, renderContenders } from './contenders.ts';
import { type Sample, sample } from './sample.ts';
import { startBenchSidecar } from './sidecar.ts';
import { total, watchTopic } from './topic.ts';

type Plan = { rounds: number; seconds: number; wrk: string[]; report: (line: string) => void };

const TOPIC = 'collection_hot_item';

/** Which sidecar is in the chain. */
type Setting = { name: string; env?: Record<string, string> };

const SHIPPED: Setting = { name: 'as shipped' };
const FASTEST: Setting = {
  name: 'kafka.client: platformatic, kafka.headers: row',
  env: { HOTITEM_KAFKA_CLIENT: 'platformatic', HOTITEM_KAFKA_HEADERS: 'row' },
};

export const capture: Bench = {
  about: "one nginx worker: plain, the article's Lua, and our transports on each engine; alone and to Kafka",
  async run({ report, quick }) {
    const plan = {
      rounds: quick ? 1 : 5,
      seconds: quick ? 2 : 4,
      wrk: await obtainWrk(report),
      report,
    };
    const builds = await obtainBuilds(report);
    const kafka = await startKafka({ version: '3.9.1' });
    const { path: folder, remove } = temporaryFolder('capture');
    try {
      await setUpIndexes({ KAFKA_BROKERS: kafka.brokers.join(','), HOTITEM_HOME: folder });
      const site = { builds, folder, broker: kafka.brokers[0] ?? '' };
      const alone = await runAlone(site, plan);
      const chains: Chain[] = [];
      for (const setting of [SHIPPED, FASTEST]) {
        const apart = { ...site, folder: join(folder, `chain-${chains.length}`) };
        chains.push({ setting: setting.name, runs: await runChain(apart, kafka, { ...plan, setting }) });
      }
      const [build] = builds;
      if (build === undefined) throw new Error('no nginx to measure');
      const states = await runStates({ ...plan, build });
      return {
        tables: [
          aloneTable(alone),
          ...chains.map((chain) => chainTable(chain, kafka.describe)),
          states.table,
        ],
        targets: [...aloneTargets(alone), ...chains.flatMap(chainTargets), ...states.targets],
        notes: [...NOTES, ...states.notes],
      };
    } finally {
      await kafka.close();
      remove();
    }
  },
};

const NOTES = [
  'Alone: an nginx that answers 204 stands in for the sidecar (subrequest, batch), nobody reads the files (log); Lua still writes to Kafka, which runs beside it. behind_s: from the end of the load to the last acknowledged record; the Lua sends what is left once a second. delivered_per_s includes it.',
  'busy_pct: of one core; machine: of all, whoever uses them. bound_by: which of them is busy.',
  'nginx_rss_mb is the most that the worker held, zones included; zones_mb what it had touched of the shared zones.',
];

type Site = { builds: NginxBuild[]; folder: string; broker: string };

async function runAlone(site: Site, plan: Plan): Promise<Runs<Sample>[]> {
  const folder = join(site.folder, 'alone');
  const socket = join(folder, 'intake.sock');
  const spill = join(folder, 'spill');
  const [build] = site.builds;
  if (build === undefined) throw new Error('no nginx to measure');
  const contenders = await renderContenders({ ...site, folder, socket, spill });
  const answerer = await startAnswerer({ build, folder: join(folder, 'answerer'), socket });
  try {
    return await interleave(contenders, plan, ({ edge }) => sample({ ...plan, edge }));
  } finally {
    await answerer.close();
  }
}

async function runChain(
  site: Site,
  kafka: KafkaPart,
  plan: Plan & { setting: Setting },
): Promise<Runs<ChainSample>[]> {
  const { env } = plan.setting;
  const { folder } = site;
  const sidecar = await startBenchSidecar({ home: join(folder, 'home'), brokers: kafka.brokers, env });
  const topic = watchTopic(kafka.brokers, TOPIC);
  try {
    const { socket, spill } = sidecar;
    const contenders = await renderContenders({ ...site, folder, socket, spill });
    return await interleave(contenders, plan, async ({ edge, what }) => {
      if (what === 'plain') return { ...(await sample({ ...plan, edge })), ...NOTHING_TO_DELIVER };
      // The Lua may lose some, ours may not.
      const expected = (views: number) => (what === 'article' ? undefined : views);
      let from = await topic.ends();
      let delivery = NOTHING_TO_DELIVER;
      const measured = await sample({
        ...plan,
        edge,
        beside: [sidecar.pid()],
        async ready(views) {
          await topic.settled(from, expected(views));
          from = await topic.ends();
        },
        async after({ views, ended }) {
          const last = await topic.settled(from, expected(views));
          delivery = {
            behindMs: Math.max(0, last - ended),
            records: total(await topic.ends()) - total(from),
            distinct: await topic.distinctSince(from),
          };
        },
      });
      return { ...measured, ...delivery };
    });
  } finally {
    await sidecar.stop();
  }
}

const NOTHING_TO_DELIVER: Delivery = { records: 0, distinct: 0, behindMs: 0 };

/** Each round runs each once, so that what changes on the machine meets all of them. */
async function interleave<Kind extends Sample>(
  contenders: Contender[],
  { rounds, report }: Plan,
  run: (contender: Contender) => Promise<Kind>,
): Promise<Runs<Kind>[]> {
  const runs = contenders.map((contender): Runs<Kind> => ({ contender, samples: [] }));
  for (let round = 1; round <= rounds; round++) {
    for (const { contender, samples } of runs) {
      const one = await run(contender);
      samples.push(one);
      report(`round ${round}: ${contender.name}: ${Math.round(one.views / one.seconds)} views/s`);
    }
  }
  return runs;
}
