import { setTimeout as sleep } from 'node:timers/promises';
import { FULL } from '../parts/full.ts';
import { steady } from '../parts/load.ts';
import { until } from '../parts/until.ts';
import { balance, type Equation, type Evidence, isIn } from './books.ts';
import { enoughOrQuiet } from './enough-or-quiet.ts';
import { countIndexed, readIndexed } from './indexed-views.ts';
import type { Scenario } from './scenarios.ts';
import type { Stage } from './stage.ts';
import { watchTopic } from './topic-records.ts';

export type Outcome = {
  equation: Equation;
  /** Problems; empty if nothing was lost that must not be lost, and nothing is there twice. */
  problems: string[];
  /** Seconds from the last view until nginx, its spill and the spool were empty; and from then until everything was indexed. */
  handedOnAfter: number;
  indexedAfter: number;
};

/** Views a second. */
export const RATE = FULL ? 2_000 : 1_000;
const ITEMS = 300;
const FAULT_AFTER_MS = 2_000;
/** The longest waits: ten seconds for a line that a full disk tore; junk in the spill folder, which is read slowly. */
const SETTLE_MS = 240_000;
/** nginx reports once a second: after this time, a report includes the last view. */
const REPORTS = 3;

/** Sends views at a steady rate while the scenario's fault happens, waits until everything is delivered, and computes the accounting. */
export async function runScenario(scenario: Scenario, stage: Stage, seconds: number): Promise<Outcome> {
  const views = await viewsDuring(scenario, stage, seconds);
  const ended = performance.now();
  const restless = await settle(stage).catch(reasonOf);
  const settled = performance.now();
  const evidence = { ...(await gather(stage)), views };
  const { equation, problems } = balance(evidence, scenario, stage);
  return {
    equation,
    problems: restless === undefined ? problems : [restless, ...problems],
    handedOnAfter: (settled - ended) / 1_000,
    indexedAfter: (performance.now() - settled) / 1_000,
  };
}

async function viewsDuring(scenario: Scenario, stage: Stage, seconds: number): Promise<Evidence['views']> {
  const began = performance.now();
  const load = steady({
    port: stage.chain.port,
    ratePerSecond: RATE,
    seconds,
    path: (i) => `/web/item/${(i % ITEMS) + 1}.html?v=${i}`,
  });
  const fault = sleep(FAULT_AFTER_MS).then(() => scenario.act(stage));
  const [sent] = await Promise.all([load, fault]);
  return sent.map(({ status, latencyMs }, i) => ({
    args: `v=${i}`,
    status,
    answeredAt: began + (i / RATE) * 1_000 + latencyMs,
  }));
}

/** Waits until nginx, its spill and the spool have delivered everything. */
async function settle({ chain }: Stage): Promise<undefined> {
  const reports = new Set<number>();
  const atRest = async () => {
    const { nginx, sidecar } = await chain.accounts();
    if (nginx?.accounts) reports.add(nginx.accounts.reportedAt);
    const spilled = await chain.sidecar.metric('hotitem_spill_waiting_bytes');
    return (
      reports.size > REPORTS && nginx?.accounts?.buffered === 0 && sidecar?.waiting === 0 && spilled === 0
    );
  };
  await until(atRest, {
    timeoutMs: SETTLE_MS,
    everyMs: 250,
    what: 'nginx, its spill and the spool to be empty',
    detail: async () => JSON.stringify(await chain.accounts()),
  });
}

/** Events that are in the index, or never will be. */
async function gather(stage: Stage): Promise<Omit<Evidence, 'views'>> {
  const { chain, kafka, elasticsearch, topic, deadTopic, group, dataStream, setAside, bombs, removed } =
    stage;
  const watched = watchTopic(kafka.brokers, topic);
  const records = [...removed.records, ...(await watched.records())];
  const readable = records.filter((record) => !isIn([...setAside, ...bombs, ...removed.unread], record));
  const events = new Set(readable.map(({ id }) => id)).size;
  const stir = async () => (await chain.accounts()).sink;
  const count = () => countIndexed(elasticsearch.node, dataStream).catch(() => 0);
  await enoughOrQuiet({ enough: events, count, stir, timeoutMs: SETTLE_MS });
  // The offset is committed after the documents are indexed.
  const committed = () => watched.committed(group);
  await enoughOrQuiet({ enough: records.length, count: committed, stir, timeoutMs: SETTLE_MS });
  return {
    records,
    deadLetters: await watchTopic(kafka.brokers, deadTopic).count(),
    committed: await committed(),
    documents: await readIndexed(elasticsearch.node, dataStream),
    accounts: await chain.accounts(),
    removed: (await chain.sink?.metric('hotitem_sink_removed_total')) ?? 0,
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
