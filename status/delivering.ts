import type { Finding } from '../service/finding.ts';
import { plainText } from '../service/plain-text.ts';
import type { IndexState } from './ask-index.ts';
import type { KafkaState, TopicState } from './ask-kafka.ts';
import type { Service } from './ask-service.ts';
import type { Clause } from './capturing.ts';
import type { Places, StatusFacts } from './facts.ts';
import { isoTime } from './iso-time.ts';
import { knownCause } from './known-causes.ts';

/** A reason why events are not delivered, or, `isBeside`, a fault that does not delay them. */
type Obstacle = Finding & { since?: number; isBeside?: boolean };

/** `fix` and `command` are absent where its log says more. */
type Consequence = Pick<Finding, 'why'> & Partial<Pick<Finding, 'fix' | 'command'>>;

/** Checks of a sidecar that say nothing about delivery, with what their failure means. */
const BESIDE: Readonly<Record<string, Consequence>> = {
  spill: {
    why: 'views in spill files, and those of the log transport, do not arrive; all others are delivered',
    fix: 'give the workers access to the spill folder: the command says which permission is missing, and how to grant it',
    command: 'hotitem check --nginx',
  },
  intake: { why: 'nginx writes spill files meanwhile, which the sidecar reads' },
  'control socket': { why: 'commands that use it do not work (capture, hot); views are delivered' },
  decisions: { why: 'decisions about hot items wait; views are delivered' },
};

/** Whether events get from the spool into the index; the first obstacle comes first. */
export function delivering(facts: StatusFacts): Clause & { isDelivered: boolean } {
  const { sidecar, sink, kafka, index, places } = facts;
  const all = [
    ...ofService('sidecar', sidecar, places),
    ...(kafka === undefined ? [] : ofKafka(kafka)),
    ...(sink === undefined ? [] : ofService('sink', sink, places)),
    ...(index === undefined ? [] : ofIndex(index, places)),
  ];
  // Several findings may have the same cause.
  const distinct = all.filter(({ id }, i) => all.findIndex((other) => other.id === id) === i);
  const findings = distinct.map(({ since: _, isBeside: __, ...finding }) => finding);
  const obstacles = distinct.filter(({ isBeside }) => isBeside !== true);
  const beside = distinct.filter(({ isBeside }) => isBeside === true);
  const [first] = obstacles;
  if (first === undefined) {
    const but = beside[0] === undefined ? '' : `, but ${beside[0].what}`;
    return { text: `delivers${but}`, findings, isDelivered: true };
  }
  const since = obstacles.find((one) => one.since !== undefined)?.since;
  const text = `does NOT deliver${since === undefined ? '' : ` since ${isoTime(since)}`}: ${first.what}${waiting(facts)}`;
  return { text, findings, isDelivered: false };
}

function waiting({ sidecar, kafka }: StatusFacts): string {
  const inSpool = 'accounts' in sidecar ? (sidecar.accounts.sidecar?.waiting ?? 0) : 0;
  const inKafka = kafka?.group.behind ?? 0;
  const parts = [
    ...(inSpool > 0 ? [`${inSpool} wait in the spool`] : []),
    ...(inKafka > 0 ? [`${inKafka} wait in Kafka`] : []),
  ];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function ofService(name: string, service: Service, places: Places): Obstacle[] {
  // Sinks may run on other hosts; for the sidecar the command itself reports that it does not answer.
  if (!('accounts' in service)) return [];
  const { ready, checks, accounts } = service;
  const { outage } = accounts;
  const failing = checks.split('\n').filter((line) => !line.endsWith(': ok') && line !== '');
  const journal = `journalctl -u hotitem-${name} -n 50`;
  const unready = ready ? [] : failing.map(toObstacle);
  if (outage === undefined) return unready;
  const stands: Obstacle = {
    id: 'not-delivered',
    severity: 'error',
    what: plainText(outage.reason, 300),
    why: `the ${name} retries; undelivered events wait`,
    fix: outage.hint === undefined ? 'fix what it names' : plainText(outage.hint, 300),
    command: journal,
    since: outage.since,
  };
  return [{ ...stands, ...knownCause(`${outage.reason} ${outage.hint}`, places) }, ...unready];

  function toObstacle(line: string): Obstacle {
    const [check = ''] = line.split(': ', 1);
    const meaning = Object.hasOwn(BESIDE, check) ? BESIDE[check] : undefined;
    return {
      id: `${name}-not-ready`,
      severity: 'error',
      what: `the ${name} is not ready: ${plainText(line, 300)}`,
      why: 'it makes no progress until that is fixed',
      fix: 'see its log',
      command: journal,
      ...(meaning !== undefined && {
        ...meaning,
        id: `${name}-${check.replaceAll(' ', '-')}`,
        isBeside: true,
      }),
      ...knownCause(line, places),
    };
  }
}

function ofKafka({ brokers, topic, deadLetterTopic, decisionTopic, group }: KafkaState): Obstacle[] {
  const found = [...ofTopic(brokers, topic)];
  const isElsewhere = 'problem' in topic && topic.problem.failure !== 'topic_missing';
  if (!isElsewhere) {
    found.push(...ofTopic(brokers, deadLetterTopic));
    if (decisionTopic !== undefined) found.push(...ofTopic(brokers, decisionTopic));
  }
  if (group.members?.length === 0) {
    found.push({
      id: 'no-sink',
      severity: 'error',
      what: `no sink is in the group ${group.name}`,
      why: 'events in Kafka reach no index, and are removed when its retention ends',
      fix: 'start one, on any host, with the same kafka.group',
      command: 'systemctl start hotitem-sink',
    });
  }
  return found;
}

function ofTopic(brokers: string[], topic: TopicState): Obstacle[] {
  if (!('problem' in topic)) return [];
  const { failure, reason, hint } = topic.problem;
  if (failure === 'topic_missing') {
    return [
      {
        id: 'no-topic',
        severity: 'error',
        what: `Kafka has no topic ${topic.name}`,
        why: 'its records wait until it is created',
        fix: 'create it, with the configured partitions and retention',
        command: 'hotitem setup',
      },
    ];
  }
  return [
    {
      id: `kafka-${failure}`,
      severity: 'error',
      what: `Kafka at ${brokers.join(', ')}: ${plainText(reason, 300)}`,
      why: 'this command, with its configuration, cannot reach it',
      fix: hint ?? 'start it, or correct kafka.brokers',
    },
  ];
}

function ofIndex({ name, problem, noNumbers }: IndexState, places: Places): Obstacle[] {
  if (problem !== undefined)
    return [
      {
        severity: 'error',
        id: 'index-unavailable',
        what: `${name}: ${plainText(problem, 300)}`,
        why: 'events wait in Kafka, or in the spool, until it accepts them',
        fix: 'start it, or correct elasticsearch.node and its login',
        command: 'hotitem check',
        ...knownCause(problem, places),
      },
    ];
  if (noNumbers === undefined) return [];
  return [
    {
      severity: 'error',
      id: 'index-no-numbers',
      what: `the page has no numbers from ${name}: ${plainText(noNumbers, 300)}`,
      why: 'the page, its API and the report do not answer; events are indexed',
      fix: 'fix what it names',
      ...knownCause(noNumbers, places),
      isBeside: true,
    },
  ];
}
