import { isRecent } from '../../service/is-recent.ts';
import type { NginxReport } from './report.ts';

/** In views, except `fulls`: how often the spill folder became full. */
export type NginxTotals = {
  captured: number;
  /** Waiting in the shared zone. */
  waiting: number;
  /** Written to the spill folder… */
  spilled: number;
  /** …of these, without an attempt, because the sidecar was known to be unavailable or busy. */
  diverted: number;
  dropped: number;
  fulls: number;
};

/** The state that a running nginx reports beside its counters. */
export type NginxStanding = Pick<NginxReport, 'one_in' | 'off' | 'release'>;

/** One nginx at its last report, identified by `started` and `instance`. */
export type NginxInstance = NginxTotals & Pick<NginxReport, 'started' | 'instance'>;

export type RememberedInstances = {
  /** When the accounting began, ms since 1970. It includes all views of an nginx that started later. */
  since: number;
  /** At most `MOST_INSTANCES`, the last to report last. */
  instances: NginxInstance[];
  /** Sum of those that were removed from the list. */
  past: NginxTotals;
};

/**
 * Whether all views of an nginx are accounted for here. If it started before the accounting began, it is unknown how many of its views
 * other sidecars received: its `first` two reports determine where its accounting begins.
 */
export type Standing = 'whole' | 'first' | 'second';

export type NginxInstances = {
  note(report: NginxReport): Standing;
  /** Sum of all that ever reported. `waiting`: only those that still report. */
  totals(): NginxTotals;
  /** Those that still report. `isBarred`: its workers cannot write to the spill folder. */
  reporting(): (NginxInstance & NginxStanding & { heardAt: number; isBarred: boolean })[];
  /** Whether the accounting of one of them is just beginning. */
  isBeginning(): boolean;
  toRemember(): RememberedInstances;
};

type Known = NginxInstance & NginxStanding & { heardAt: number; isBarred: boolean; standing: Standing };

/** nginx reports every second; it retries a sidecar that was too slow after five. */
const GONE_AFTER_MS = 10_000;
/** More than enough for one sidecar; beyond that, those that stopped first are summed up. */
const MOST_INSTANCES = 16;
const NONE: NginxTotals = { captured: 0, waiting: 0, spilled: 0, diverted: 0, dropped: 0, fulls: 0 };

/**
 * The nginx that report to this sidecar: one, and during a binary upgrade (SIGUSR2) two, each with its own shared memory and counters. One
 * that stopped remains in the totals.
 */
export function createNginxInstances(
  remembered: RememberedInstances | undefined,
  now: () => number,
): NginxInstances {
  let past = remembered?.past ?? NONE;
  let since = remembered?.since ?? now();
  let known: Known[] = (remembered?.instances ?? []).map((instance) => ({
    ...instance,
    off: false,
    heardAt: now(),
    isBarred: false,
    standing: 'whole',
  }));
  return { note, totals, reporting, isBeginning, toRemember };

  function note(report: NginxReport): Standing {
    const before = known.find((one) => isSame(one, report));
    const standing = before === undefined ? standingOfNew(report) : next(before.standing);
    // The last report of an exiting worker, as in a reload, contains only counters.
    const { one_in, off, release } = report.one_in === undefined && before !== undefined ? before : report;
    const isBarred = report.spill_barred > 0;
    const noted = { ...toInstance(report), one_in, off, release, heardAt: now(), isBarred, standing };
    known = [...known.filter((one) => one !== before), noted];
    const [oldest] = known;
    if (oldest !== undefined && known.length > MOST_INSTANCES) {
      past = sum(past, { ...oldest, waiting: 0 });
      // If it reports again, its accounting starts over.
      since = Math.max(since, oldest.started + 1);
      known = known.slice(1);
    }
    return standing;
  }

  function standingOfNew({ started }: NginxReport): Standing {
    // A time in the future means that a clock was set back.
    return started >= since && started <= now() ? 'whole' : 'first';
  }

  function totals(): NginxTotals {
    return known.reduce((all, one) => sum(all, isReporting(one) ? one : { ...one, waiting: 0 }), past);
  }

  function reporting(): Known[] {
    return known.filter(isReporting);
  }

  function isReporting({ heardAt }: Known): boolean {
    return isRecent(heardAt, now(), GONE_AFTER_MS);
  }

  function isBeginning(): boolean {
    return known.some(({ standing }) => standing === 'first');
  }

  function toRemember(): RememberedInstances {
    return {
      since,
      past,
      instances: known.map(({ started, instance, captured, waiting, spilled, diverted, dropped, fulls }) => ({
        ...{ started, instance, captured, waiting, spilled, diverted, dropped, fulls },
      })),
    };
  }
}

/** Views that it neither holds, nor spilled, nor dropped: they went to the sidecar. */
export function postedIn({ captured, waiting, spilled, dropped }: NginxTotals): number {
  return captured - waiting - spilled - dropped;
}

/** A reload to newer includes adds `instance`, one to older includes removes it. */
function isSame(one: NginxInstance, report: NginxReport): boolean {
  if (one.started !== report.started) return false;
  return one.instance === report.instance || one.instance === 0 || report.instance === 0;
}

function next(standing: Standing): Standing {
  return standing === 'first' ? 'second' : 'whole';
}

function toInstance(report: NginxReport): NginxInstance {
  const { started, instance, waiting, flushed, handed, diverted, spilled, dropped, fulls } = report;
  const captured = waiting + flushed + handed + diverted;
  return { started, instance, captured, waiting, spilled, diverted, dropped, fulls };
}

function sum(some: NginxTotals, others: NginxTotals): NginxTotals {
  return {
    captured: some.captured + others.captured,
    waiting: some.waiting + others.waiting,
    spilled: some.spilled + others.spilled,
    diverted: some.diverted + others.diverted,
    dropped: some.dropped + others.dropped,
    fulls: some.fulls + others.fulls,
  };
}
