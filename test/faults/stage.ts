import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { NginxBuild } from '../../provision/nginx.ts';
import { type Chain, startChain } from '../integration/chain.ts';
import { allowAll, giveBack, type Permission, take } from '../integration/permissions.ts';
import { setUpIndexes } from '../integration/set-up.ts';
import type { ElasticsearchPart } from '../parts/elasticsearch.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { type KafkaPart, startKafka } from '../parts/kafka.ts';
import { withAdmin } from '../parts/kafka-admin.ts';
import { AUTHORIZER, type KafkaSecurity } from '../parts/kafka-security.ts';
import { upgradableNginx } from '../parts/nginx.ts';
import { until } from '../parts/until.ts';
import { type FakeClock, obtainClock } from './fake-clock.ts';
import { makeDisk, type SmallDisk } from './small-disk.ts';
import type { TopicRecord } from './topic-records.ts';

export type Transport = 'batch' | 'subrequest';
export type Need =
  | 'small spool disk'
  | 'small spill disk'
  | 'clock'
  | 'upgrade'
  | 'three brokers'
  | 'login'
  | 'another user';
export type KafkaClientName = 'kafkajs' | 'platformatic';

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
  /** Takes a permission away. Resolves with what gives it back. Where the scenario needs a login. */
  deny(permission: Permission): Promise<() => Promise<void>>;
  /** Notes from when to when views may be lost. */
  losing<T>(work: () => Promise<T>): Promise<T>;
  /** By `performance.now()`. */
  lossy: { from: number; to: number }[];
  /** Ids of events that somebody else wrote into the topic. */
  foreign: string[];
  /** Batches that the sink could not decode; both offsets are part of them. */
  setAside: OffsetsOf[];
  /** What somebody wrote into the topic to stop the sinks: none of it is an event. `letters`: how many dead letters it makes. */
  bombs: (OffsetsOf & { letters: number })[];
  /** What was removed from the topic: all of it, and what of that the sink had not read. */
  removed: { records: TopicRecord[]; unread: OffsetsOf[] };
  close(): Promise<void>;
};

export type StageOptions = {
  parts: Parts;
  transport: Transport;
  needs?: Need[];
  client?: KafkaClientName;
  name: string;
};

const DISK_MB = 48;
const REPORT_MS = 60_000;

export async function setStage({
  parts: shared,
  transport,
  needs = [],
  client,
  name,
}: StageOptions): Promise<Stage> {
  const ownKafka = await startOwnKafka(needs);
  const parts = { ...shared, kafka: ownKafka ?? shared.kafka };
  const { security } = parts.kafka;
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
  await setUpIndexes({
    ...settings,
    ...(needs.includes('three brokers') && { HOTITEM_KAFKA_REPLICATION_FACTOR: '3' }),
  });
  const resources = { topic, dead: deadTopic, group };
  if (security !== undefined) {
    const ofDecisions = { topic: `${topic}.decisions`, dead: deadTopic, group: `${group}-decisions` };
    await withAdmin(parts.kafka, async (admin) => {
      await allowAll(admin, resources, security);
      await allowAll(admin, ofDecisions, security);
    });
  }
  const programs = needs.includes('upgrade') ? temporaryFolder('program') : undefined;
  const build = programs
    ? upgradableNginx(parts.build, programs.path)
    : (clock?.build(parts.build) ?? parts.build);
  const chain = await startChain({
    build,
    transport,
    withSink: true,
    env: {
      ...settings,
      ...clock?.env,
      ...(client && { HOTITEM_KAFKA_CLIENT: client }),
      ...(security && loginOf(security)),
    },
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
    bombs: [],
    removed: { records: [], unread: [] },
    async deny(permission) {
      const login = present(security, 'a login');
      await withAdmin(parts.kafka, (admin) => take(admin, permission, resources, login));
      return () => withAdmin(parts.kafka, (admin) => giveBack(admin, permission, resources, login));
    },
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
      await ownKafka?.close();
    },
  };
}

/** What the one of all scenarios cannot do. */
async function startOwnKafka(needs: Need[]): Promise<KafkaPart | undefined> {
  if (needs.includes('three brokers'))
    return startKafka({ brokers: 3, properties: { 'min.insync.replicas': '2' } });
  return needs.includes('login') ? startKafka({ secured: true, properties: AUTHORIZER }) : undefined;
}

function loginOf({ saslTls, caFile, username, password }: KafkaSecurity): Record<string, string> {
  return {
    KAFKA_BROKERS: saslTls.join(','),
    HOTITEM_KAFKA_TLS: 'true',
    HOTITEM_KAFKA_CA_FILE: caFile,
    HOTITEM_KAFKA_SASL_MECHANISM: 'scram-sha-512',
    HOTITEM_KAFKA_SASL_USERNAME: username,
    HOTITEM_KAFKA_SASL_PASSWORD: password,
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
