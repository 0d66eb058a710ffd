import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import { type ElasticsearchPart, startElasticsearch } from '../parts/elasticsearch.ts';
import { FULL } from '../parts/full.ts';
import { type KafkaPart, startKafka } from '../parts/kafka.ts';
import { report } from '../parts/report.ts';
import { suiteWith } from '../parts/suite.ts';
import { until } from '../parts/until.ts';
import { enoughOrQuiet } from './enough-or-quiet.ts';
import { type Flood, numberOf, startFlood } from './flood.ts';
import { countIndexed, readIndexed } from './indexed-views.ts';
import { type Stage, setStage } from './stage.ts';
import { watchTopic } from './topic-records.ts';

jest.setTimeout(1_200_000);
const EVENTS = 1_000_000;
const PER_SECOND = 8_000;
const SETTLE_MS = 300_000;
/** The parts to kill, in turn: those with the most state most often. */
const VICTIMS = ['sidecar', 'sink', 'kafka', 'sidecar', 'sink', 'elasticsearch'] as const;
const BETWEEN_MS = [2_500, 700, 4_000, 1_300, 3_100];

suiteWith(['nginx', 'kafka', 'elasticsearch'], { stops: true })('a million events, and kills', () => {
  let build: NginxBuild;
  let kafka: KafkaPart;
  let elasticsearch: ElasticsearchPart;

  beforeAll(async () => {
    if (!FULL) return;
    build = await obtainNginx({ suite: 'trixie', report });
    [kafka, elasticsearch] = await Promise.all([startKafka(), startElasticsearch()]);
  });
  afterAll(() => Promise.all([kafka?.close(), elasticsearch?.close()]));

  (FULL ? test : test.skip)('every acknowledged event is in the index once', async () => {
    const stage = await setStage({
      parts: { build, kafka, elasticsearch },
      transport: 'batch',
      name: 'million',
    });
    try {
      const began = performance.now();
      const socket = join(stage.chain.home, 'run/intake.sock');
      const flood = startFlood({ socket, events: EVENTS, perSecond: PER_SECOND });
      const kills = await killDuring(flood, stage);
      const spooled = performance.now();
      await until(async () => (await stage.chain.accounts()).sidecar?.waiting === 0, {
        timeoutMs: SETTLE_MS,
        everyMs: 500,
        what: 'the spool to be empty',
        detail: async () => JSON.stringify(await stage.chain.accounts()),
      });
      await enoughOrQuiet({
        enough: EVENTS,
        count: () => countIndexed(elasticsearch.node, stage.dataStream).catch(() => 0),
        stir: async () => (await stage.chain.accounts()).sink,
        timeoutMs: SETTLE_MS,
      });
      const settled = performance.now();
      const committed = await watchTopic(kafka.brokers, stage.topic).committed(stage.group);
      const inKafka = await timesInKafka(stage);
      const inIndex = await timesInIndex(stage);
      report(
        [
          `a million events: ${flood.acknowledged()} acknowledged in ${seconds(began, spooled)} s, in the index after ${seconds(began, settled)} s`,
          `kill -9: ${JSON.stringify(kills)}; ${flood.repeated()} requests of ${EVENTS / 1_000} sent again`,
          `records in Kafka ${sum(inKafka)} (sent or taken in again: ${sum(inKafka) - EVENTS}), committed by the sinks ${committed}, documents ${sum(inIndex)}`,
          `the sidecar since its last start: ${JSON.stringify((await stage.chain.accounts()).sidecar)}`,
          `the sink since its last start: ${JSON.stringify((await stage.chain.accounts()).sink)}`,
        ].join('\n'),
      );
      expect(flood.acknowledged()).toBe(EVENTS);
      expect(numbersOf(inKafka, (times) => times === 0)).toEqual([]);
      expect(numbersOf(inIndex, (times) => times === 0)).toEqual([]);
      expect(numbersOf(inIndex, (times) => times > 1)).toEqual([]);
    } finally {
      await stage.close();
    }
  });
});

/** Returns how often each was killed. */
async function killDuring(flood: Flood, stage: Stage): Promise<Record<string, number>> {
  const parts = { ...stage.chain, kafka: stage.kafka, elasticsearch: stage.elasticsearch };
  const kills: Record<string, number> = {};
  let flooding = true;
  const done = flood.done.finally(() => {
    flooding = false;
  });
  for (let i = 0; flooding; i++) {
    await Promise.race([done, sleep(BETWEEN_MS[i % BETWEEN_MS.length])]);
    if (!flooding) break;
    const victim = VICTIMS[i % VICTIMS.length] ?? 'sidecar';
    await parts[victim]?.kill();
    await parts[victim]?.start();
    kills[victim] = (kills[victim] ?? 0) + 1;
  }
  await done;
  return kills;
}

async function timesInKafka({ kafka, topic }: Stage): Promise<Uint16Array> {
  const times = new Uint16Array(EVENTS);
  await watchTopic(kafka.brokers, topic).read(({ id }) => count(times, id));
  return times;
}

async function timesInIndex({ elasticsearch, dataStream }: Stage): Promise<Uint16Array> {
  const times = new Uint16Array(EVENTS);
  for (const { id } of await readIndexed(elasticsearch.node, dataStream)) count(times, id);
  return times;
}

function count(times: Uint16Array, id: string): void {
  const number = numberOf(id);
  times[number] = (times[number] ?? 0) + 1;
}

/** The first of those events, which is enough to find them. */
function numbersOf(times: Uint16Array, wanted: (times: number) => boolean): number[] {
  const found: number[] = [];
  for (let i = 0; i < times.length && found.length < 20; i++) if (wanted(times[i] ?? 0)) found.push(i);
  return found;
}

function sum(times: Uint16Array): number {
  return times.reduce((total, one) => total + one, 0);
}

function seconds(from: number, to: number): string {
  return ((to - from) / 1_000).toFixed(1);
}
