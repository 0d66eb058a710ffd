import { join } from 'node:path';
import type { Core } from '../../app/core.ts';
import { deadLettersWithin, OutOfTime } from '../../app/dead-letters-within.ts';
import { openQuestions } from '../../app/open-questions.ts';
import { capOf } from '../../app/past-rules.ts';
import { type TriedRules, type TryRulesOptions, tryRules } from '../../app/try-rules.ts';
import { catalogueOptions } from '../../app/wire-catalogue.ts';
import { loadCatalogue } from '../../catalogue/load.ts';
import type { SeenLimit } from '../../protect/shoppers.ts';
import { type FromIndex, fromIndex } from '../../report/from-index.ts';
import { lossesWithin } from '../../report/losses-within.ts';
import { peakOf, ratesOf } from '../../report/rates.ts';
import {
  isKnown,
  type Report,
  type ReportAccounting,
  type ReportRules,
  type ReportShoppers,
  type Unknown,
} from '../../report/report.ts';
import { whyNone, wordsOf } from '../../report/words.ts';
import { reasonOf } from '../../service/log.ts';
import { type Loss, readLosses } from '../../service/losses.ts';
import { Trouble } from '../../service/trouble.ts';
import { askBehind } from '../../status/ask-kafka.ts';
import { askService, type Service } from '../../status/ask-service.ts';
import { isSilent } from '../../status/capturing.ts';
import { isoTime } from '../../status/iso-time.ts';
import { lossWords } from '../../status/loss-words.ts';
import { IndexUnavailable } from '../../store/event-index.ts';
import { createProgress } from '../progress.ts';
import { tell } from '../terminal.ts';

const DEAD_LETTERS_MS = 20_000;
const DAY_MS = 86_400_000;
/** So little later is now. */
const NOW_MS = 60_000;
const TRIED_MS = 6 * 3_600_000;

export type MakeReportOptions = Pick<Report, 'range' | 'timeZone'> & {
  /** How long to try other rules at most; 0: not at all. */
  rulesMs: number;
};

/** Asks the index, the services of this host and the log of events. Rejects with a `Trouble` if the index does not answer. */
export async function makeReport(
  core: Core,
  { range, timeZone, rulesMs }: MakeReportOptions,
): Promise<Report> {
  const { config } = core;
  // First: what it counts goes on.
  const sidecar = await askService(config.admin.listen, 'admin.listen');
  if ('problem' in sidecar) tell(`hotitem report: the sidecar: ${sidecar.problem}\n`);
  const inKafka = await waitingInKafka(core);
  const catalogue = await openCatalogue(core);
  const { parts, index, notes } = await askIndex(core, range, catalogue.lookUp, timeZone);
  const around = aroundPeak(range, parts);
  const tried =
    rulesMs === 0
      ? { unknown: 'nothing was tried (--rules-seconds 0)' }
      : await attempt('the events of this time cannot be read', () =>
          tryWithin(core, around, { ms: rulesMs, catalogue: catalogue.items }),
        );
  const accounting = await accountingOf(core, range, { sidecar, inKafka, tried });
  const { decisionsFrom: _, periods, saved, ...rest } = parts;
  return {
    version: 1,
    made: core.now(),
    timeZone,
    range,
    index,
    notes: [
      ...notes,
      ...catalogue.notes,
      ...(config.heat.enabled ? [] : ['Hot items are not looked for: heat.enabled is false.']),
    ],
    ...rest,
    saved: { ...saved, counted: shoppersOf(sidecar, range) },
    // Rules that cannot be read are reported as not tried.
    periods: { ...periods, cap: await capOf(config).catch(() => config.heat.cap) },
    accounting,
    rules: isKnown(tried) ? { range: around, ...rulesOf(tried) } : tried,
  };
}

type LookUp = Parameters<typeof fromIndex>[0]['lookUp'];
type Range = Report['range'];

async function askIndex(
  core: Core,
  range: Range,
  lookUp: LookUp,
  timeZone: string,
): Promise<{ parts: FromIndex; index: string; notes: string[] }> {
  const index = await openQuestions(core.config);
  const progress = createProgress('asked');
  try {
    const parts = await fromIndex({
      questions: index.questions,
      range,
      // While the origin is slow, and never more seldom.
      refreshMs: 500 * core.config.protect.stale_seconds,
      lookUp,
      onAnswer: progress.show,
    });
    const { time, number } = wordsOf({ range, timeZone });
    const kept = core.now() - index.retentionDays * DAY_MS;
    const { more, list } = parts.periods;
    const notes = [
      ...(range.from < kept
        ? [
            `The index keeps ${number(index.retentionDays)} days: views before ${time(kept)} may not be in it any more.`,
          ]
        : []),
      ...(parts.decisionsFrom === undefined
        ? []
        : [`Decisions before ${time(parts.decisionsFrom)} were not read: there are too many.`]),
      ...(more > 0
        ? [
            `Requests saved at the origin are those of the ${number(list.length)} hot periods that are listed.`,
          ]
        : []),
    ];
    if (parts.totals.all > 0) return { parts, index: index.name, notes };
    const all = await attempt('the newest view is not known', () =>
      index.questions.totals({ from: 0, to: core.now() + DAY_MS }),
    );
    const newest = !isKnown(all)
      ? 'When the newest view in the index was is not known.'
      : all.last === undefined
        ? 'There is no view in the index.'
        : `The newest view in the index is of ${time(all.last)}.`;
    return { parts, index: index.name, notes: [...notes, newest] };
  } catch (error) {
    if (!(error instanceof IndexUnavailable)) throw error;
    throw new Trouble(`the index does not answer: ${reasonOf(error)}`, 'hotitem status says more.');
  } finally {
    progress.end();
    await index.close();
  }
}

async function openCatalogue({
  config,
}: Core): Promise<{ items?: TryRulesOptions['catalogue']; lookUp: LookUp; notes: string[] }> {
  const options = catalogueOptions(config);
  if (options === undefined) return { lookUp: () => undefined, notes: [] };
  try {
    const { items } = await loadCatalogue(options);
    return { items, lookUp, notes: [] };

    function lookUp(item: string) {
      const { name, category } = items.get(item) ?? {};
      return { ...(name !== undefined && { name }), ...(category !== undefined && { category }) };
    }
  } catch (error) {
    tell(`hotitem report: the catalogue cannot be used: ${reasonOf(error)}\n`);
    return {
      lookUp: () => undefined,
      notes: ['Items have no names: the catalogue cannot be used.'],
    };
  }
}

/** Detection passes all of a time in ticks, with views or without: a month of it would take an hour. */
function aroundPeak({ from, to }: Range, { curve }: FromIndex): { from: number; to: number } {
  const at = peakOf(ratesOf({ curve, range: { from, to } }))?.from ?? from;
  const begin = Math.max(from, Math.min(to - TRIED_MS, at - TRIED_MS / 2));
  return { from: begin, to: Math.min(to, begin + TRIED_MS) };
}

async function tryWithin(
  core: Core,
  range: { from: number; to: number },
  { ms, catalogue }: Pick<TryRulesOptions, 'catalogue'> & { ms: number },
): Promise<TriedRules> {
  const progress = createProgress('tried rules with');
  const options = { range, deadline: core.now() + ms, onRead: progress.show, catalogue };
  return tryRules(core, options).finally(progress.end);
}

function rulesOf({ delays: _, ...rules }: TriedRules): Omit<ReportRules, 'range'> {
  return rules;
}

/**
 * A report without something is better than none. It is passed on: addresses and paths of this host, which errors contain, are for who runs
 * the command.
 */
async function attempt<Value extends object>(
  unknown: string,
  work: () => Promise<Value>,
): Promise<Value | Unknown> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OutOfTime) return { unknown: error.message };
    tell(`hotitem report: ${unknown}: ${reasonOf(error)}\n`);
    return { unknown };
  }
}

type Asked = { sidecar: Service; inKafka: ReportAccounting['inKafka']; tried: TriedRules | Unknown };

/** What no sink has indexed yet is in no number of the index. Undefined without Kafka. */
async function waitingInKafka(core: Core): Promise<ReportAccounting['inKafka']> {
  if (!core.parts.kafka) return undefined;
  return attempt('Kafka does not say', async () => ({ events: await askBehind(core) }));
}

async function accountingOf(
  core: Core,
  range: Range,
  { sidecar, inKafka, tried }: Asked,
): Promise<ReportAccounting> {
  const { config, parts } = core;
  // One beside the sidecar has no listener of its own: what it lost is among the sidecar's.
  const isBeside = 'accounts' in sidecar && sidecar.accounts.sink !== undefined;
  const sink =
    parts.kafka && !isBeside ? await askService(config.admin.sink_listen, 'admin.sink_listen') : undefined;
  if (sink !== undefined && 'problem' in sink) tell(`hotitem report: the sink: ${sink.problem}\n`);
  const deadline = core.now() + DEAD_LETTERS_MS;
  return {
    waiting:
      'accounts' in sidecar && sidecar.accounts.sidecar !== undefined
        ? { events: sidecar.accounts.sidecar.waiting }
        : { unknown: problemOf(sidecar) },
    ...(inKafka !== undefined && { inKafka }),
    dead: await attempt('they cannot be read', () => deadLettersWithin(core, { ...range, deadline })),
    lost: lossesOf([
      { of: 'the sidecar', losses: recorded(sidecar, join(config.home, 'losses.json')), service: sidecar },
      ...(sink === undefined
        ? []
        : [{ of: 'a sink', losses: recorded(sink, join(config.home, 'sink-losses.json')), service: sink }]),
    ]),
    lateness: latenessOf(tried, parts.kafka),
  };

  function lossesOf(
    asked: { of: string; losses: Loss[] | undefined; service: Service }[],
  ): ReportAccounting['lost'] {
    const notAsked = asked
      .filter(({ losses }) => losses === undefined)
      .map(({ of, service }) => `what ${of} lost: ${problemOf(service)}`);
    const losses = asked.flatMap((one) => one.losses ?? []);
    if (notAsked.length === asked.length) return { unknown: notAsked.join('; ') };
    const known = lossesWithin(losses, range, (reason) => lossWords(reason).why);
    return { ...known, notAsked: [...notAsked, ...lostInNginx(sidecar, range)] };
  }
}

/** Since the sidecar started: of this time, if that was in it and it is not over. */
function shoppersOf(sidecar: Service, { from, to }: Range): Report['saved']['counted'] {
  if (!('accounts' in sidecar)) return { unknown: problemOf(sidecar) };
  const { about, heat } = sidecar.accounts;
  if (about === undefined || heat?.shoppers === undefined)
    return { unknown: 'nginx does not log requests for hot items (log-shared.conf), or there were none' };
  const { shared, stale, own, missing, unkept } = heat.shoppers;
  const isWithin = about.started >= from && about.now - to < NOW_MS;
  return {
    since: about.started,
    isWithin,
    cached: shared + stale,
    origin: own + missing + unkept,
    ...(heat.limit !== undefined && { limit: limitOf(heat.limit) }),
  };
}

function limitOf({ passed, limited, wouldLimit }: SeenLimit): NonNullable<ReportShoppers['limit']> {
  return { checked: passed + limited + wouldLimit, limited, wouldLimit };
}

/** Only an nginx that reports has its losses counted, and only a sidecar that runs knows whether it does. */
function lostInNginx(sidecar: Service, { to }: Range): string[] {
  if (!('accounts' in sidecar)) return [`what nginx lost: ${problemOf(sidecar)}`];
  const { nginx, about } = sidecar.accounts;
  const reportedAt = nginx?.accounts?.reportedAt;
  if (reportedAt === undefined) return ['what nginx lost: it does not report (http-batch.conf)'];
  const isGone = reportedAt < to && isSilent(reportedAt, about?.now ?? reportedAt);
  return isGone ? [`what nginx lost: it is silent since ${isoTime(reportedAt)}`] : [];
}

/** As a service says, or as it stored while it ran. */
function recorded(service: Service, path: string): Loss[] | undefined {
  return 'accounts' in service ? (service.accounts.losses ?? []) : readLosses(path);
}

function problemOf(service: Service): string {
  if (!('problem' in service)) return 'it does not say';
  return service.silent ? 'nothing answers on this host' : 'what answers on this host is not hotitem';
}

function latenessOf(tried: TriedRules | Unknown, hasKafka: boolean): ReportAccounting['lateness'] {
  if (!isKnown(tried)) return tried;
  const log = hasKafka ? 'Kafka' : 'the spool';
  if (tried.delays !== undefined) return { log, ...tried.delays };
  return { unknown: tried.views === 0 ? whyNone(tried) : `${log} does not say when it received the views` };
}
