import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { NginxBuild } from '../../provision/nginx.ts';
import { type Chain, startChain } from '../integration/chain.ts';
import { setUpIndexes } from '../integration/set-up.ts';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import { temporaryFolder } from '../parts/guard.ts';
import type { KafkaPart } from '../parts/kafka.ts';
import { upgradableNginx } from '../parts/nginx.ts';
import { until } from '../parts/until.ts';
import { type FakeClock, obtainClock } from './fake-clock.ts';
import { makeDisk, type SmallDisk } from './small-disk.ts';
import type { TopicRecord } from './topic-records.ts';

export type Transport = 'batch' | 'subrequest';
export type Need = 'small spool disk' | 'small spill disk' | 'clock' | 'upgrade';

/** What all scenarios share. */
export type Parts = { build: NginxBuild; kafka: KafkaPart; elasticsearch: ElasticsearchPart };

/** Both offsets are part of it. */
export type OffsetsOf = { partition: number; first: number; last: number };

/** What a fault acts upon: the whole chain, with a topic, a group and a data stream of its own. */
export type Stage = Parts & {
  chain: Chain;
  transport: Transport;
  topic: string;
  deadTopic: string;
  group: string;
  dataStream: string;
  /** Present where the scenario needs it. */
  disk: SmallDisk;
  clock: FakeClock;
  /** Notes from when to when views may be lost. */
  losing<T>(work: () => Promise<T>): Promise<T>;
  /** By `performance.now()`. */
  lossy: { from: number; to: number }[];
  /** Ids of events that somebody else wrote into the topic. */
  foreign: string[];
  /** Batches that the sink could not decode; both offsets are part of them. */
  setAside: OffsetsOf[];
  /** What was removed from the topic: all of it, and what of that the sink had not read. */
  removed: { records: TopicRecord[]; unread: OffsetsOf[] };
  close(): Promise<void>;
};

export type StageOptions = { parts: Parts; transport: Transport; needs?: Need[]; name: string };

const DISK_MB = 48;
const REPORT_MS = 10_000;

export async function setStage({ parts, transport, needs = [], name }: StageOptions): Promise<Stage> {
  const disk = needs.some((need) => need.endsWith('disk')) ? await makeDisk(DISK_MB) : undefined;
  const clock = needs.includes('clock') ? await obtainClock() : undefined;
  const dataStream = `hot_item_${name}`;
  const [topic, deadTopic, group] = [`events-${name}`, `events-${name}.dead`, `sink-${name}`];
  const settings = {
    KAFKA_BROKERS: parts.kafka.brokers.join(','),
    ELASTICSEARCH_NODE: parts.elasticsearch.node,
    HOTITEM_KAFKA_TOPIC: topic,
    HOTITEM_KAFKA_DEAD_LETTER_TOPIC: deadTopic,
    HOTITEM_KAFKA_GROUP: group,
    HOTITEM_ELASTICSEARCH_DATA_STREAM: dataStream,
    ...(disk && needs.includes('small spool disk') && { HOTITEM_SPOOL_DIR: join(disk.path, 'spool') }),
  };
  await setUpIndexes(settings);
  const programs = needs.includes('upgrade') ? temporaryFolder('program') : undefined;
  const build = programs
    ? upgradableNginx(parts.build, programs.path)
    : (clock?.build(parts.build) ?? parts.build);
  const chain = await startChain({
    build,
    transport,
    withSink: true,
    env: { ...settings, ...clock?.env },
  });
  if (disk && needs.includes('small spill disk')) moveSpill(chain, disk);
  await clock?.reachWorkers(chain.nginx, join(chain.home, 'nginx/nginx.conf'));
  // The books of nginx begin with its first two reports: one that comes with the first views has some of them on their way.
  const reports = new Set<number>();
  const reportedTwice = async () => {
    const { nginx } = await chain.accounts();
    if (nginx?.accounts) reports.add(nginx.accounts.reportedAt);
    return reports.size > 1;
  };
  await until(reportedTwice, {
    timeoutMs: REPORT_MS,
    what: 'nginx to report twice',
    detail: () => chain.logs(),
  });
  const lossy: Stage['lossy'] = [];
  return {
    ...parts,
    chain,
    transport,
    topic,
    deadTopic,
    group,
    dataStream,
    get disk() {
      return present(disk, 'a small disk');
    },
    get clock() {
      return present(clock, 'a clock');
    },
    lossy,
    foreign: [],
    setAside: [],
    removed: { records: [], unread: [] },
    async losing(work) {
      const from = performance.now();
      try {
        return await work();
      } finally {
        lossy.push({ from, to: performance.now() });
      }
    },
    async close() {
      await chain.close();
      await disk?.close();
      clock?.remove();
      programs?.remove();
    },
  };
}

/** nginx and the sidecar know the folder by its name; nothing was written to it yet. */
function moveSpill({ home }: Chain, disk: SmallDisk): void {
  const spill = join(home, 'spill');
  rmSync(spill, { recursive: true });
  symlinkSync(disk.path, spill);
}

function present<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`the scenario does not say that it needs ${what}`);
  return value;
}
