import type { HealthAnswer, KafkaHealth } from '../../sidecar/routes/answers.ts';
import { age, count, decimal } from '../words.ts';
import { lossWords } from './loss-words.ts';
import { isBehind, isSilent, JUST_NOW_MS, silence } from './verdict.ts';

/*
 * The text of the tables of the view. `was`: the answer is not up to date, so it is in the past tense.
 */

export type StageLine = { name: string; total: string; rest: string[] };
export type Line = {
  key: string;
  what: string;
  number: string;
  age: string;
  means: string;
  isFine: boolean | undefined;
  state: string;
};

/** After this long without a request for a hot item, it is unknown whether nginx still logs them. */
const OLD_MS = 60_000;

const STAGES: Record<string, string> = {
  captured: 'Captured',
  spooled: 'Spooled',
  forwarded: 'Forwarded',
  indexed: 'Indexed',
};

const PARTS: Record<string, string> = {
  spool: 'Spool on disk',
  intake: 'Socket for nginx',
  'control socket': 'Socket for the owner',
  spill: 'Spill folder',
  forwarder: 'To Kafka',
  sink: 'Into the index',
  decisions: 'Decisions',
  index: 'Index',
};

export function stagesOf({ stages, now }: HealthAnswer): StageLine[] {
  return stages.map(({ name, total, perSecond, lastAt }) => ({
    name: STAGES[name] ?? name,
    total: count(total),
    rest: [
      `${decimal(perSecond)}/s over 10 s`,
      lastAt === undefined ? 'none yet' : `last ${age(now - lastAt)} ago`,
    ],
  }));
}

export function placesOf(answer: HealthAnswer, was: boolean): Line[] {
  const { behind, dead, losses, unaccounted, now, nginx } = answer;
  const lost = losses.reduce((sum, { views }) => sum + views, 0);
  const fine = was ? 'was fine' : 'fine';
  const lastLoss = Math.max(0, ...losses.map(({ last }) => last));
  const waits = isBehind(behind);
  const unlost = nginx.length === 0 ? 'nginx does not report what it lost' : 'cannot be recovered';
  return [
    {
      key: 'behind',
      what: 'On the way (behind)',
      number: count(behind.events),
      age: behind.oldestMs === undefined ? '–' : `the oldest waits for ${age(behind.oldestMs)}`,
      means: 'in the spool on disk; they arrive later',
      isFine: !waits,
      state: waits ? 'behind' : fine,
    },
    {
      key: 'dead',
      what: 'Dead letters',
      number: count(dead.events),
      age: dead.lastAt === undefined ? '–' : `the last ${age(now - dead.lastAt)} ago`,
      means: 'rejected for good, and kept: hotitem dead-letters list',
      isFine: dead.events === 0,
      state: dead.events === 0 ? fine : 'look when there is time',
    },
    {
      key: 'lost',
      what: 'Lost',
      number: count(lost),
      age: lost === 0 ? '–' : `the last ${age(now - lastLoss)} ago`,
      means: lost === 0 ? unlost : losses.map(({ reason }) => lossWords(reason)).join('; '),
      isFine: lost === 0,
      state: lost === 0 ? (was ? 'was none' : 'none') : 'lost',
    },
    {
      key: 'unaccounted',
      what: 'Unaccounted for',
      number: count(unaccounted),
      age: '–',
      means: 'would be a defect of hotitem',
      isFine: unaccounted === 0,
      state: unaccounted === 0 ? (was ? 'was none' : 'none') : 'does not balance',
    },
  ];
}

export function partsOf(answer: HealthAnswer, was: boolean): Line[] {
  const { nginx, kafka, parts, newest, hot, catalogue, streams, now, capture } = answer;
  const fine = was ? 'was fine' : 'fine';
  const line = (key: string, what: string, isFine: boolean | undefined, rest: Partial<Line> = {}): Line => ({
    key,
    what,
    number: '',
    age: '',
    means: '',
    isFine,
    state: isFine ? fine : 'makes no progress: hotitem status says why',
    ...rest,
  });
  return [
    ...nginx.map(({ started, reportedAt, captured, off }, i) =>
      line(
        `nginx ${started} ${i}`,
        nginx.length > 1 ? `nginx ${i + 1}` : 'nginx',
        !off && capture !== 'off' && !isSilent(reportedAt, now),
        {
          number: `${count(captured)} captured`,
          ...(reportedAt <= now && { age: `reported ${age(now - reportedAt)} ago` }),
          means: `capture ${off ? 'off in nginx.conf' : capture === 'default' ? 'as nginx is configured' : capture}`,
          ...(isSilent(reportedAt, now) && { state: silence(reportedAt, now) }),
          ...((off || capture === 'off') && { state: 'captures nothing' }),
        },
      ),
    ),
    ...(nginx.length > 0
      ? []
      : [
          line('nginx', 'nginx', undefined, {
            means: 'does not report: it needs http-batch.conf, or has not started',
            state: 'not known',
          }),
        ]),
    ...(kafka === undefined ? [] : [kafkaLine(kafka, now, was)]),
    ...parts.map(({ name, isReady }) => line(`part ${name}`, PARTS[name] ?? name, isReady)),
    ...(newest === undefined ? [] : [newestLine(newest)]),
    ...(hot === undefined
      ? []
      : [
          // None is logged while nothing is hot: that the last is old is no fault by itself.
          line('hot', 'Requests for hot items', now - hot.at > OLD_MS ? undefined : true, {
            number: `${count(hot.cached)} from the cache`,
            age: `the last ${age(now - hot.at)} ago`,
            means: `${count(hot.origin)} reached the application`,
            ...(now - hot.at > OLD_MS && { state: 'nothing is hot, or nginx does not log it' }),
          }),
        ]),
    ...(catalogue === undefined ? [] : [catalogueLine(catalogue)]),
    ...(streams === undefined
      ? []
      : [
          line('streams', 'Readers of this page', streams.open < streams.most, {
            number: `${count(streams.open)} of ${count(streams.most)}`,
            ...(streams.open >= streams.most && { state: 'full' }),
          }),
        ]),
  ];

  /** Stock and prices on the page are those of its file. */
  function catalogueLine({ items, modified, loading, failed }: NonNullable<HealthAnswer['catalogue']>): Line {
    return line('catalogue', 'Catalogue', loading ? undefined : !failed, {
      number: `${count(items)} items`,
      age: modified === undefined ? '' : `its file was written ${age(Math.max(0, now - modified))} ago`,
      means: 'names, prices and stock on this page are of that time',
      ...(loading && { state: 'is being loaded' }),
      ...(failed && {
        state: `the file of now cannot be used${modified === undefined ? '' : ': the one before it stays'}`,
      }),
    });
  }

  function newestLine({ time, askedAt }: NonNullable<HealthAnswer['newest']>): Line {
    const what = 'Newest view in the index';
    const asked = `${age(now - askedAt)} ago`;
    return time === undefined
      ? line('newest', what, undefined, { age: `asked ${asked}`, state: 'none yet' })
      : line('newest', what, true, { age: `${age(Math.max(0, askedAt - time))} old when asked, ${asked}` });
  }
}

function kafkaLine(kafka: KafkaHealth, now: number, was: boolean): Line {
  const { brokers, unavailableSince, lastAt, behind } = kafka;
  const isKnown = lastAt !== undefined || behind !== undefined;
  const ages = [
    ...(lastAt === undefined ? [] : [`accepted the last view ${age(now - lastAt)} ago`]),
    ...(behind === undefined ? [] : [`asked ${age(now - behind.askedAt)} ago`]),
  ];
  const line = {
    key: 'kafka',
    what: 'Kafka',
    number: behind === undefined ? '' : `${count(behind.events)} not in the index yet`,
    age: ages.join(', '),
    means: brokers === 1 ? '1 broker is named' : `${count(brokers)} brokers are named`,
  };
  if (unavailableSince !== undefined)
    return { ...line, isFine: false, state: `accepts nothing for ${age(now - unavailableSince)}` };
  if (!isKnown) return { ...line, isFine: undefined, state: 'nothing was sent to it yet' };
  const lastSign = Math.max(lastAt ?? 0, behind?.askedAt ?? 0);
  if (now - lastSign > JUST_NOW_MS)
    return { ...line, isFine: undefined, state: 'accepted what was sent last' };
  return { ...line, isFine: true, state: was ? 'was reachable' : 'reachable' };
}
