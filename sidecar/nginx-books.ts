import type { Metrics } from '../service/metrics.ts';
import type { SIDECAR_METRICS } from './metrics.ts';
import type { BooksFile, Remembered } from './nginx-books-file.ts';
import type { NginxReport } from './nginx-report.ts';

/** What nginx says of itself, in views since it started, at its last report. */
export type NginxAccounts = {
  /** ms since 1970. */
  reportedAt: number;
  captured: number;
  /** Waiting in its shared zone. */
  buffered: number;
  /** Written to the spill folder… */
  spilled: number;
  /** …of these, without asking the sidecar, which was known to be away or busy. */
  diverted: number;
  dropped: number;
  /**
   * Of the views captured since a sidecar's first report of this nginx: neither taken in here, nor waiting in the
   * zone or the spill folder, nor dropped. At rest 0; under load it holds what is on its way.
   */
  unaccounted: number;
};

export type NginxBooks = {
  report(report: NginxReport): void;
  /** Undefined until nginx has reported. */
  accounts(): NginxAccounts | undefined;
};

export type NginxBooksOptions = {
  metrics: Metrics<typeof SIDECAR_METRICS>;
  now: () => number;
  /** Of the sidecar before this one. */
  file: BooksFile;
  /** The next of the spool. */
  sequence: () => number;
};

/** Where the books of one nginx begin: what was missing then is not ours to account for. */
type Beginning = Pick<Remembered, 'started' | 'posted' | 'spilled'>;

/**
 * Reports of an nginx from which its books begin: the one after which most is missing. Views that are here before the report
 * that counts them hide others; what is on its way shows too much, which is put right when nginx rests.
 */
const FIRST_REPORTS = 2;
/** nginx reports every second. */
const SILENT_AFTER_MS = 5_000;
/** Longer than nginx waits for any answer. */
const AT_REST_AFTER_MS = 1_000;

export function createNginxBooks({ metrics, now, file, sequence }: NginxBooksOptions): NginxBooks {
  const past = file.load();
  const before = { intake: past?.intake ?? 0, spill: past?.spill ?? 0, known: past?.known ?? 0 };
  // Taken in after the last report that the sidecar before this one had. Which way does not matter to the sum.
  if (past) before.intake += Math.max(0, sequence() - past.sequence);
  let begun: Beginning | undefined = past;
  let firstReports = 0;
  let last: NginxAccounts | undefined;
  let heardAt = Number.NEGATIVE_INFINITY;
  /** Of the views that nginx says it spilled, those that did not come; as of the last time that the folder was empty. */
  let spilledGap = past?.spilledGap ?? 0;
  let lastChange = { views: 0, at: Number.POSITIVE_INFINITY };
  metrics.of('nginx_up').follow(() => (now() - heardAt < SILENT_AFTER_MS ? 1 : 0));
  return {
    report(report) {
      heardAt = now();
      last = {
        reportedAt: heardAt,
        captured: capturedIn(report),
        buffered: report.waiting,
        spilled: report.spilled,
        diverted: report.diverted,
        dropped: report.dropped,
        unaccounted: unaccountedIn(report),
      };
      publish(report, last);
    },
    accounts: () => last,
  };

  function unaccountedIn(report: NginxReport): number {
    const here = taken();
    // Views that nginx captured and neither keeps, nor spilled, nor dropped, less those that were posted here.
    const posted =
      capturedIn(report) - report.waiting - report.dropped - report.spilled - (here.intake - here.known);
    const beginning = beginningOf(report, posted);
    // With nothing left in the folder none of them waits: nginx counts a spill also where the disk took none.
    const isNoneSpilled = metrics.of('spill_waiting_bytes').value() === 0;
    if (isNoneSpilled) {
      spilledGap = report.spilled - here.spill;
      beginning.spilled ??= spilledGap;
    }
    let unaccounted = posted - beginning.posted + spilledGap - (beginning.spilled ?? spilledGap);
    const isAtRest = hasSettled(capturedIn(report) + here.intake + here.spill);
    if (unaccounted < 0 && isAtRest && isNoneSpilled && report.waiting === 0) {
      // So many were on their way at the first report, and have come since. Elsewhere than at rest it would be too early to
      // say: a view that nginx gave up on too soon is here, and still waits there.
      beginning.posted += unaccounted;
      unaccounted = 0;
    }
    file.store({ ...beginning, ...here, spilledGap, sequence: sequence() });
    return unaccounted;
  }

  function beginningOf({ started }: NginxReport, posted: number): Beginning {
    if (begun?.started !== started) {
      begun = { started, posted };
      firstReports = FIRST_REPORTS;
    }
    if (firstReports > 0) {
      firstReports--;
      begun.posted = Math.max(begun.posted, posted);
    }
    return begun;
  }

  /** Whether nothing was captured and nothing came for a while; `views`: all that did. */
  function hasSettled(views: number): boolean {
    if (views !== lastChange.views) lastChange = { views, at: heardAt };
    return heardAt - lastChange.at >= AT_REST_AFTER_MS;
  }

  /** By this sidecar and those before it. */
  function taken(): typeof before {
    const lines = (from: string) => metrics.of('intake_lines_total', { from }).value();
    const known = (from: string) => metrics.of('intake_duplicates_total', { from }).value();
    return {
      intake: before.intake + lines('intake'),
      spill: before.spill + lines('spill'),
      known: before.known + known('intake') + known('spill'),
    };
  }

  function publish(report: NginxReport, accounts: NginxAccounts): void {
    metrics.of('nginx_captured_total').set(accounts.captured);
    metrics.of('nginx_buffered').set(accounts.buffered);
    metrics.of('nginx_spilled_total', { way: 'away' }).set(report.diverted);
    metrics.of('nginx_spilled_total', { way: 'failed' }).set(Math.max(0, report.spilled - report.diverted));
    metrics.of('nginx_dropped_total').set(accounts.dropped);
    metrics.of('nginx_spill_full_total').set(report.fulls);
    metrics.of('nginx_unaccounted').set(accounts.unaccounted);
  }
}

function capturedIn({ waiting, flushed, handed, diverted }: NginxReport): number {
  return waiting + flushed + handed + diverted;
}
