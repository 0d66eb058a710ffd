import type { Accounts } from '../../app/wire-sidecar.ts';
import type { Sent } from '../parts/load.ts';
import type { IndexedView } from './indexed-views.ts';
import type { Scenario } from './scenarios.ts';
import type { OffsetsOf, Stage } from './stage.ts';
import type { TopicRecord } from './topic-records.ts';

/** Everything observed in one run, from outside and from the services' own counters. */
export type Evidence = {
  /** The requests, in the order in which they were due; `args` is the name of each. */
  views: (Pick<Sent, 'status'> & { args: string; answeredAt: number })[];
  records: TopicRecord[];
  deadLetters: number;
  /** Records that the sinks have committed. */
  committed: number;
  documents: IndexedView[];
  accounts: Accounts;
  /** Records that were removed from the topic before a sink read them, from the sink's counter. */
  removed: number;
};

/** The accounting equation; the terms are numbers of views unless noted. */
export type Equation = {
  answered: number;
  /** Requests without a response. */
  unanswered: number;
  /** From nginx's counter: answered requests, and views of interrupted pages. */
  captured: number;
  /** Different events in Kafka. */
  events: number;
  /** From nginx's counter: no space for a spill. */
  dropped: number;
  /** Lines that are not events: a full disk truncated them. */
  bad: number;
  /** captured − events − dropped − bad */
  unaccounted: number;
  /** The same from the sidecars' accounting of nginx. */
  admitted: number;
  /** Answered, but not in the index. */
  lost: number;
  /** Written to the spool: sequences. */
  accepted: number;
  /** Of these, events that a restarted sidecar ingested again: accepted − events. */
  again: number;
  /** Records in Kafka: accepted events, and those that were sent twice. */
  records: number;
  dead: number;
  /** Removed from Kafka before the sink read them. */
  removed: number;
  documents: number;
};

/** The accounting equation of a run, and everything in it that does not balance. */
export function balance(
  evidence: Evidence,
  { mayLose, mayRefuse, mayRepeat }: Scenario,
  {
    lossy,
    foreign,
    setAside,
    bombs,
    removed,
  }: Pick<Stage, 'lossy' | 'foreign' | 'setAside' | 'bombs' | 'removed'>,
): { equation: Equation; problems: string[] } {
  const { views, accounts, deadLetters, committed } = evidence;
  const strangers = new Set(foreign);
  const hostile = evidence.records.filter((record) => isIn(bombs, record));
  const records = evidence.records.filter((record) => !strangers.has(record.id) && !isIn(bombs, record));
  const documents = evidence.documents.filter(({ id }) => !strangers.has(id));
  const foreignIndexed = evidence.documents.length - documents.length;
  const buried = records.filter((record) => isIn(setAside, record));
  const unread = records.filter((record) => isIn(removed.unread, record));
  const unreadable = new Set([...buried, ...unread].map(({ args }) => args));
  const ofBombs = bombs.reduce((sum, { letters }) => sum + letters, 0);
  const { nginx, sidecar, sink } = accounts;
  const { captured = 0, dropped = 0, unaccounted: admitted = 0 } = nginx?.accounts ?? {};
  const bad = sidecar?.bad ?? 0;
  const events = new Map(records.map(({ id, args }) => [id, args]));
  const accepted = new Set(records.map(({ boot, seq }) => `${boot}/${seq}`)).size;
  const answered = views.filter(({ status }) => status === 200);
  const failed = views.filter(({ status }) => status !== 200 && status !== 0);
  const indexed = new Set(documents.map(({ args }) => args));
  const lost = answered.filter(({ args }) => !indexed.has(args) && !unreadable.has(args));
  const inexcusable = lost.filter(({ answeredAt }) => !mayBeLost(answeredAt));
  const equation: Equation = {
    answered: answered.length,
    unanswered: views.length - answered.length,
    captured,
    events: events.size,
    dropped,
    bad,
    unaccounted: captured - events.size - dropped - bad,
    admitted,
    lost: lost.length,
    accepted,
    again: accepted - events.size,
    records: records.length,
    dead: buried.length,
    removed: unread.length,
    documents: documents.length,
  };
  const { unanswered, unaccounted, again } = equation;
  // A line that a restarted sidecar ingests again lowers the unaccounted number of nginx by one: it looks like another view.
  const known = dropped + bad + admitted + (mayRepeat === undefined ? 0 : again);
  const checks: [holds: boolean, problem: string][] = [
    [inexcusable.length === 0, `lost: ${named(inexcusable.map(({ args }) => args))}`],
    [
      lost.length <= known || lost.length === 0,
      `${lost.length} views lost, and all counters together know of ${known}`,
    ],
    [mayRepeat !== undefined || admitted === unaccounted, `nginx's books say ${admitted} unaccounted`],
    [mayRepeat !== undefined || accepted === events.size, `${accepted - events.size} events taken in twice`],
    [
      unaccounted <= lost.length + unanswered,
      `${unaccounted} captured views are nowhere and cannot be named`,
    ],
    [unaccounted >= 0, `${-unaccounted} more events than nginx says that it captured`],
    [captured >= answered.length, `${answered.length} views answered, ${captured} captured`],
    [failed.length === 0, `pages that failed: ${named(failed.map(({ args }) => args))}`],
    [unanswered === 0 || mayRefuse !== undefined, `${unanswered} pages without an answer`],
    [bad === 0 || mayLose !== undefined, `${bad} bad lines`],
    ...none('captured twice', repeated([...events.values()])),
    ...none('of the spool, not in Kafka: sequences', gapsOf(records)),
    ...none('of Kafka, not in the index: ids', missing(events, documents, unreadable)),
    ...none('twice in the index', repeated(documents.map(({ args }) => args))),
    [
      deadLetters === setAside.length + removed.unread.length + ofBombs,
      `${deadLetters} dead letters, ${setAside.length} damaged batches, ${removed.unread.length} removed ranges, ${ofBombs} of bombs`,
    ],
    [
      evidence.removed === unread.length,
      `${unread.length} records removed unread, ${evidence.removed} noticed`,
    ],
    [
      sink?.dead === buried.length + hostile.length,
      `${sink?.dead} dead, ${buried.length} records in damaged batches, ${hostile.length} in bombs`,
    ],
    [foreignIndexed === foreign.length, `${foreignIndexed} of ${foreign.length} foreign events in the index`],
    [
      committed === evidence.records.length,
      `${evidence.records.length} records in Kafka, ${committed} committed by the sinks`,
    ],
    [sidecar?.waiting === 0 && sidecar.unaccounted === 0, `the sidecar says ${JSON.stringify(sidecar)}`],
    [
      sink !== undefined && sink.consumed === sink.indexed + sink.existing + sink.dropped + sink.dead,
      `the sink says ${JSON.stringify(sink)}`,
    ],
  ];
  return { equation, problems: checks.filter(([holds]) => !holds).map(([, problem]) => problem) };

  function mayBeLost(at: number): boolean {
    if (mayLose === undefined) return false;
    const { withinMs } = mayLose;
    return lossy.some(({ from, to }) => at >= from - withinMs && at <= to + withinMs);
  }
}

export function isIn(ranges: OffsetsOf[], { partition, offset }: TopicRecord): boolean {
  return ranges.some((one) => one.partition === partition && offset >= one.first && offset <= one.last);
}

const MOST_NAMES = 20;

function named(names: string[]): string {
  const more = names.length > MOST_NAMES ? ', …' : '';
  return `${names.length} (${names.slice(0, MOST_NAMES).join(', ')}${more})`;
}

function none(what: string, names: string[]): [boolean, string][] {
  return [[names.length === 0, `${what}: ${named(names)}`]];
}

function repeated(names: string[]): string[] {
  const seen = new Set<string>();
  return names.filter((name) => seen.size === seen.add(name).size);
}

function missing(events: Map<string, string>, documents: IndexedView[], but: Set<string>): string[] {
  const indexed = new Set(documents.map(({ id }) => id));
  return [...events]
    .filter(([id, args]) => !indexed.has(id) && !but.has(args))
    .map(([id, args]) => `${id} ${args}`);
}

/** A spool numbers its events from 0 without gaps. */
function gapsOf(records: TopicRecord[]): string[] {
  const spools = new Map<string, Set<number>>();
  for (const { boot, seq } of records) {
    const there = spools.get(boot) ?? new Set();
    spools.set(boot, there.add(seq));
  }
  return [...spools].flatMap(([boot, there]) =>
    Array.from({ length: lastOf(there) + 1 }, (_, seq) => seq)
      .filter((seq) => !there.has(seq))
      .map((seq) => `${boot}/${seq}`),
  );
}

function lastOf(numbers: Set<number>): number {
  let last = -1;
  for (const one of numbers) last = Math.max(last, one);
  return last;
}
