import type { About } from '../app/about.ts';
import type { CatalogueState } from '../app/wire-catalogue.ts';
import type { SinkAccounts } from '../app/wire-sink.ts';
import type { HeatState } from '../heat/hot-answers.ts';
import type { EndCounts, SeenLimit, ShopperCounts } from '../protect/shoppers.ts';
import { plainText } from '../service/plain-text.ts';
import { judge } from '../service/verdict.ts';
import type { SidecarAccounts } from '../sidecar/accounting.ts';
import type { NginxAccounts } from '../sidecar/nginx/nginx-accounting.ts';
import type { Nginx } from '../sidecar/sidecar.ts';
import type { KafkaState, TopicState } from '../status/ask-kafka.ts';
import type { Service } from '../status/ask-service.ts';
import type { StatusFacts } from '../status/facts.ts';
import { isoTime } from '../status/iso-time.ts';
import type { Verdict } from '../status/status-verdict.ts';
import { captureWords } from './capture-words.ts';
import { findingsText } from './check-report.ts';

const NGINX: [keyof NginxAccounts, string][] = [
  ['captured', 'captured'],
  ['ingested', 'ingested'],
  ['buffered', 'buffered'],
  ['spilled', 'spilled'],
  ['dropped', 'dropped'],
  ['unaccounted', 'unaccounted'],
  ['instances', 'instances'],
];
const SIDECAR: [keyof SidecarAccounts, string][] = [
  ['received', 'lines received'],
  ['accepted', 'accepted'],
  ['duplicate', 'duplicate'],
  ['sampledOut', 'sampled out'],
  ['bad', 'bad'],
  ['sheddingStep', 'shedding step'],
  ['waitingAtStart', 'waiting at start'],
  ['waiting', 'waiting'],
  ['delivered', 'delivered'],
  ['dead', 'dead letters'],
  ['lost', 'lost to damage'],
  ['unaccounted', 'unaccounted'],
];
const HEAT: [keyof Pick<HeatState, 'hot' | 'held'>, string][] = [
  ['hot', 'hot'],
  ['held', 'held by the cap'],
];
const SHOPPERS: [keyof ShopperCounts, string][] = [
  ['shared', 'from the cache'],
  ['stale', 'from it, but late'],
  ['own', 'must not share'],
  ['missing', 'found no page'],
  ['unkept', 'page not kept'],
];
const LIMIT: [keyof SeenLimit, string][] = [
  ['passed', 'passed'],
  ['limited', 'limited'],
  ['wouldLimit', 'would be limited'],
];
const ENDS: [keyof EndCounts, string][] = [
  ['notFound', 'not found (404)'],
  ['rejected', 'rejected (429)'],
  ['error', 'errors (5xx)'],
  ['left', 'left before the end'],
  ['ok', 'others'],
];
const CATALOGUE: [keyof Pick<CatalogueState, 'rows' | 'rejected'>, string][] = [
  ['rows', 'items'],
  ['rejected', 'rows left out'],
];
const SINK: [keyof SinkAccounts, string][] = [
  ['consumed', 'consumed'],
  ['indexed', 'indexed'],
  ['existing', 'there already'],
  ['dropped', 'dropped'],
  ['dead', 'dead letters'],
  ['unaccounted', 'unaccounted'],
];

/** The report for a terminal: the verdict, what to change, then Kafka, the index, the sinks, versions and the accounting. */
export function statusText(facts: StatusFacts, { line, findings }: Verdict): string {
  const { sidecar, sink } = facts;
  return [
    line,
    '',
    ...(findings.length === 0 ? [] : [findingsText(judge(findings))]),
    ...(facts.kafka === undefined ? [] : ofKafka(facts.kafka)),
    ...(facts.index === undefined
      ? []
      : [
          `index    ${facts.index.name}: ${plainText(facts.index.problem ?? facts.index.noNumbers ?? facts.index.unknown ?? 'answers', 200)}`,
        ]),
    ...versions(facts),
    ...('accounts' in sidecar ? ofServices(sidecar) : []),
    ...(sink !== undefined && 'accounts' in sink && sink.accounts.sink !== undefined
      ? [heading(`sink at ${sink.at}`, sink.accounts.about), ...rows(SINK, sink.accounts.sink)]
      : []),
    '',
  ].join('\n');
}

function ofServices({
  accounts: { about, nginx, sidecar, sink, heat, catalogue },
}: Extract<Service, { accounts: unknown }>) {
  return [
    ...(nginx === undefined ? [] : ['nginx, over all restarts', ...ofNginx(nginx)]),
    ...(sidecar === undefined ? [] : [heading('sidecar', about), ...rows(SIDECAR, sidecar)]),
    ...(heat === undefined ? [] : ['hot items', ...rows(HEAT, heat)]),
    ...logged('requests for hot items', SHOPPERS, heat?.shoppers),
    ...logged('requests that limit.conf checked', LIMIT, heat?.limit),
    ...logged('how requests for hot items ended', ENDS, heat?.ends),
    ...(catalogue === undefined
      ? []
      : [`catalogue${catalogue.loading === true ? ', being loaded' : ''}`, ...rows(CATALOGUE, catalogue)]),
    ...(sink === undefined ? [] : [heading('sink', about), ...rows(SINK, sink)]),
  ];
}

/** What nginx logged of requests for hot items. */
function logged<K extends string>(
  what: string,
  labels: [K, string][],
  seen: (Record<K, number> & { at: number }) | undefined,
): string[] {
  return seen === undefined ? [] : [`${what}, the last at ${isoTime(seen.at)}`, ...rows(labels, seen)];
}

/** Counters of a process start with it, those of nginx do not: side by side they would look like a loss. */
function heading(name: string, about: About | undefined): string {
  return about === undefined ? name : `${name}, since it started at ${isoTime(about.started)}`;
}

function ofKafka({ brokers, topic, deadLetterTopic, decisionTopic, group }: KafkaState): string[] {
  const members = group.members?.map(({ client, host }) => plainText(`${client} (${host})`, 80));
  const sinks =
    members === undefined
      ? `the members of the group ${group.name} are unknown (needs Describe on it)`
      : `${members.length} in the group ${group.name}${members.length === 0 ? '' : `: ${members.join(', ')}`}`;
  const topics = [topic, deadLetterTopic, ...(decisionTopic === undefined ? [] : [decisionTopic])];
  return [
    `kafka    ${brokers.join(', ')}: ${topics.map(topicText).join(', ')}`,
    `sinks    ${sinks}${group.behind === undefined ? '' : `; ${group.behind} events not read yet`}`,
  ];
}

function topicText(topic: TopicState): string {
  if ('partitions' in topic) return `${topic.name} has ${topic.partitions} partition(s)`;
  return topic.problem.failure === 'topic_missing'
    ? `no topic ${topic.name}`
    : `${topic.name}: ${plainText(topic.problem.reason, 200)}`;
}

function versions({ installed, sidecar, sink }: StatusFacts): string[] {
  const nginx = 'accounts' in sidecar ? (sidecar.accounts.nginx?.accounts?.instances ?? []) : [];
  const parts = [
    `installed ${installed}`,
    ...running('sidecar', sidecar),
    ...(sink === undefined ? [] : running('sink', sink)),
    ...nginx.map(({ release }) => `nginx runs ${plainText(release ?? 'older includes', 40)}`),
  ];
  return [`version  ${parts.join(', ')}`, ''];
}

function running(name: string, service: Service): string[] {
  if (!('accounts' in service)) return [];
  return [`${name} runs ${plainText(service.accounts.about?.version ?? 'an older version', 40)}`];
}

function ofNginx({ capture, accounts }: Nginx): string[] {
  return [`  ${'capture'.padEnd(18)}${captureWords(capture).padStart(12)}`, ...ofAccounts(accounts)];
}

function ofAccounts(accounts: Partial<NginxAccounts> | undefined): string[] {
  if (accounts === undefined) return ['  no counters (http-batch.conf)'];
  const { instances, ...counters } = accounts;
  return rows(NGINX, { ...counters, ...(instances !== undefined && { instances: instances.length }) });
}

/** Values that a process of another version does not report are left out. */
function rows<K extends string>(labels: [K, string][], values: Partial<Record<K, number>>): string[] {
  return labels
    .filter(([key]) => values[key] !== undefined)
    .map(([key, label]) => `  ${label.padEnd(18)}${String(values[key]).padStart(12)}`);
}
