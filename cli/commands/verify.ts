import { type Core, createCore } from '../../app/core.ts';
import { openDeadLetters } from '../../app/open-dead-letters.ts';
import { openHistory } from '../../app/open-history.ts';
import { openPlainLookup } from '../../app/open-lookup.ts';
import { recordReader } from '../../app/record-reader.ts';
import { createDeadOrigins } from '../../reconcile/dead-origins.ts';
import { toRemovedRange } from '../../reconcile/removed-unread.ts';
import {
  type Example,
  type Verified,
  type VerifyOptions,
  verify as verifyEvents,
} from '../../reconcile/verify.ts';
import { ConfigError } from '../../service/config/config.ts';
import { reasonOf } from '../../service/log.ts';
import type { Loss } from '../../service/losses.ts';
import { plainText } from '../../service/plain-text.ts';
import { Trouble } from '../../service/trouble.ts';
import { askService } from '../../status/ask-service.ts';
import { isoTime } from '../../status/iso-time.ts';
import { lossWords } from '../../status/loss-words.ts';
import type { RemovedRange, TimeRange } from '../../store/history.ts';
import { KafkaError } from '../../store/kafka/error.ts';
import type { Command, CommandContext } from '../command.ts';
import { configure } from '../configure.ts';
import { UsageError } from '../parse-command-line.ts';
import { parseCount } from '../parse-count.ts';
import { parseRange, RANGE_OPTIONS } from '../parse-range.ts';
import { parseSource, SOURCE_OPTION } from '../parse-source.ts';
import { createProgress } from '../progress.ts';
import { removedRange } from '../removed-range.ts';
import { print, printJson } from '../terminal.ts';

const MOST_DEAD = 500_000;
const BALANCED = 0;
const NOT_BALANCED = 1;
const CANNOT_TELL = 2;

export const verify: Command = {
  about:
    'compares the events in Kafka or the spool with the index; exits 0: complete, 1: not, 2: cannot tell',
  options: {
    ...RANGE_OPTIONS,
    ...SOURCE_OPTION,
    examples: { type: 'string', placeholder: 'N', about: 'number of ids to print of each kind (10)' },
    json: { type: 'boolean', about: 'print JSON' },
  },
  configured: true,
  async run(context) {
    try {
      return await compare(context);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      // 1 would mean that something is missing.
      if (error instanceof ConfigError) throw new Trouble(error.message, undefined, CANNOT_TELL);
      const hint = error instanceof Trouble || error instanceof KafkaError ? error.hint : undefined;
      throw new Trouble(reasonOf(error), hint, CANNOT_TELL);
    }
  },
};

async function compare(context: CommandContext): Promise<number> {
  const { from, to, source, examples = '10', json, ...flags } = context.flags;
  const core = createCore(configure({ ...context, flags }));
  const now = core.now();
  const range = parseRange({ from, to }, now);
  const limits = { least: 0, most: 10_000 };
  const shown = parseCount('examples', String(examples), limits);
  const history = await openHistory(core, parseSource({ source }, core.parts));
  const progress = createProgress('compared');
  try {
    const { dead, undecodableLetters, removedUnread } = await originsOfDead(core, range);
    const lookup = await openPlainLookup(core.config);
    const verified = await verifyEvents({
      history,
      lookup,
      read: recordReader(core.config),
      range,
      dead,
      undecodableLetters,
      removedUnread,
      examples: shown,
      now,
      onRead: progress.show,
    }).finally(lookup.close);
    progress.end();
    const nginx = await askNginxAccounting(core, range.from);
    const status = statusOf(verified, nginx);
    const answer: Answer = {
      from: new Date(range.from).toISOString(),
      to: new Date(range.to).toISOString(),
      log: history.name,
      index: lookup.name,
      balanced: status === CANNOT_TELL ? null : status === BALANCED,
      ...verified,
      nginx,
    };
    if (json === true) printJson(answer);
    else print(table(answer, shown));
    return status;
  } finally {
    progress.end();
    await history.close();
  }
}

type OfDead = Required<Pick<VerifyOptions, 'undecodableLetters' | 'removedUnread'>> &
  Pick<VerifyOptions, 'dead'>;

/** `dead` is undefined if there are too many to remember. */
async function originsOfDead(core: Core, { from }: TimeRange): Promise<OfDead> {
  const origins = createDeadOrigins();
  const removedUnread: RemovedRange[] = [];
  let undecodableLetters = 0;
  const box = await openDeadLetters(core);
  try {
    await box.read((letter) => {
      undecodableLetters += letter.undecodable ?? 0;
      const removed = letter.time < from ? undefined : toRemovedRange(letter);
      if (removed !== undefined && removedUnread.length < MOST_DEAD) removedUnread.push(removed);
      if (origins.size() <= MOST_DEAD) origins.add(letter);
    });
  } finally {
    await box.close();
  }
  return { dead: origins.size() > MOST_DEAD ? undefined : origins, undecodableLetters, removedUnread };
}

/** What nginx of this host reports about views before the spool, which no log knows. */
type NginxBefore = { captured: number; ingested: number; buffered: number; lost: Loss[] };

const BEFORE_SPOOL = ['nginx_dropped', 'nginx_missing', 'sampled_out'];

/** Undefined if no sidecar answers here, or its nginx does not count (http-batch.conf). */
async function askNginxAccounting({ config }: Core, from: number): Promise<NginxBefore | undefined> {
  const sidecar = await askService(config.admin.listen, 'admin.listen');
  if (!('accounts' in sidecar)) return undefined;
  const { nginx, losses = [] } = sidecar.accounts;
  if (nginx?.accounts === undefined) return undefined;
  const { captured, ingested, buffered } = nginx.accounts;
  const lost = losses.filter(({ reason, last }) => BEFORE_SPOOL.includes(reason) && last >= from);
  return { captured, ingested, buffered, lost };
}

function statusOf(verified: Verified, nginx: NginxBefore | undefined): number {
  if (nginx !== undefined && nginx.lost.length > 0) return NOT_BALANCED;
  const { missing, undecodableLetters, duplicate, removed, gaps, doubts } = verified;
  if (missing > undecodableLetters || duplicate > 0 || removed > 0 || gaps.length > 0) return NOT_BALANCED;
  return doubts.length > 0 ? CANNOT_TELL : BALANCED;
}

type Answer = Verified & {
  from: string;
  to: string;
  log: string;
  index: string;
  balanced: boolean | null;
  nginx: NginxBefore | undefined;
};

function table(answer: Answer, shown: number): string {
  const { examples, gaps, doubts } = answer;
  return [
    `views from ${answer.from} to ${answer.to}`,
    `${answer.log} against ${answer.index}`,
    row('expected', answer.expected, answer.repeated === 0 ? '' : `and ${answer.repeated} came twice`),
    row('there', answer.there),
    row('dead letters', answer.dead),
    ...examples.dead.map(example),
    row('waiting', answer.waiting, answer.waiting === 0 ? '' : 'the sink has not reached them'),
    row('missing', answer.missing),
    ...examples.missing.map(example),
    row('duplicate', answer.duplicate),
    ...examples.duplicate.map(example),
    row('undecodable', answer.undecodable),
    ...examples.undecodable.map(example),
    row(
      'removed unread',
      answer.removed,
      answer.removed === 0 ? '' : 'from the log, before the sink had read them',
    ),
    ...answer.removedUnread.map(removedRange),
    row('sequence gaps', gaps.length),
    ...gaps
      .slice(0, shown)
      .map(
        ({ node, boot, first, last }) =>
          `    ${plainText(node, 60)}, spool ${plainText(boot, 40)}: ${first} to ${last}`,
      ),
    ...ofNginx(answer.nginx),
    ...doubts.map((doubt) => `cannot tell: ${doubt}`),
    answer.balanced === null ? 'cannot tell' : answer.balanced ? 'balanced' : 'NOT BALANCED',
    '',
  ].join('\n');
}

function ofNginx(nginx: NginxBefore | undefined): string[] {
  if (nginx === undefined)
    return [
      'this begins at the spool; no nginx of this host reports what it captured (http-batch.conf, hotitem status)',
    ];
  const { captured, ingested, buffered, lost } = nginx;
  return [
    `before the spool, nginx of this host since its accounting began: captured ${captured}, ingested ${ingested}, waiting ${buffered}`,
    ...lost.map(
      ({ reason, views, first, last }) =>
        `    lost ${views} from ${isoTime(first)} to ${isoTime(last)}: ${plainText(lossWords(reason).why, 200)}`,
    ),
  ];
}

function row(label: string, count: number, remark = ''): string {
  return `  ${label.padEnd(18)}${String(count).padStart(12)}${remark === '' ? '' : `  ${remark}`}`;
}

function example({ id, origin }: Example): string {
  return `    ${plainText(id, 130)}  ${plainText(origin, 80)}`;
}
