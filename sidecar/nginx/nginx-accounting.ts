import { isRecent } from '../../service/is-recent.ts';
import type { Metrics } from '../../service/metrics.ts';
import type { SIDECAR_METRICS } from '../metrics.ts';
import { createNginxInstances, type NginxTotals, postedIn, type Standing } from './instances.ts';
import type { AccountingFile } from './nginx-accounting-file.ts';
import type { NginxReport } from './report.ts';

/** The sum of what every nginx reports, in views. One that stopped remains in it. */
export type NginxAccounts = {
  /** ms since 1970. */
  reportedAt: number;
  captured: number;
  /** Distinct lines of it that this sidecar and earlier ones ingested. */
  ingested: number;
  /** Waiting in the shared zone of an nginx that still reports. */
  buffered: number;
  /** Written to the spill folder… */
  spilled: number;
  /** …of these, without an attempt, because the sidecar was known to be unavailable or busy. */
  diverted: number;
  dropped: number;
  /**
   * Of the views captured since a sidecar's first report of nginx: those that were neither ingested, nor wait in a zone or the spill
   * folder, nor were dropped. When idle it is 0; under load it includes views in flight. What an nginx still held when it stopped is
   * included as soon as another one reports.
   */
  unaccounted: number;
  /** Those that still report: one, and two during a binary upgrade. */
  instances: NginxInstanceAccounts[];
};

export type NginxInstanceAccounts = {
  /** When its shared memory was created, ms since 1970. */
  started: number;
  /** A random number chosen at that time; 0: its includes are older. */
  instance: number;
  /** ms since 1970. */
  reportedAt: number;
  captured: number;
  buffered: number;
  spilled: number;
  dropped: number;
  /** How many views a captured one represents now, 0 if none is captured; undefined if its includes are older. */
  oneIn: number | undefined;
  /** Whether off.conf is included in place of http.conf. */
  off: boolean;
  /** The version of its includes; undefined if they are older. */
  release: string | undefined;
};

export type NginxAccounting = {
  report(report: NginxReport): void;
  /** Undefined until nginx has reported. */
  accounts(): NginxAccounts | undefined;
  /** Whether an nginx that reports cannot write to the spill folder. */
  isSpillBarred(): boolean;
  /** Lost views, not in flight: what was unaccounted when idle, or for half a minute. Undefined while that is unknown. */
  missing(): number | undefined;
};

export type NginxAccountingOptions = {
  metrics: Metrics<typeof SIDECAR_METRICS>;
  now: () => number;
  /** Written by the previous sidecar. */
  file: AccountingFile;
  /** The next sequence of the spool. */
  sequence: () => number;
};

/** Where the accounting begins: views that were missing then are not included. */
type Beginning = { posted: number; spilled?: number | undefined };

/** nginx reports every second. */
const SILENT_AFTER_MS = 5_000;
/** Longer than nginx waits for any answer. */
const AT_REST_AFTER_MS = 1_000;
/** Number of reports, one a second: a view that was in flight has arrived by then, although another may be in flight instead. */
const MISSING_AFTER = 30;

/**
 * The accounting of nginx: one equation over all that report. The sidecar does not know which nginx a line is from, so separate equations
 * would not balance.
 */
export function createNginxAccounting({
  metrics,
  now,
  file,
  sequence,
}: NginxAccountingOptions): NginxAccounting {
  const past = file.load();
  const before = { intake: past?.intake ?? 0, spill: past?.spill ?? 0, known: past?.known ?? 0 };
  const instances = createNginxInstances(past, now);
  const beginning: Beginning = { posted: past?.posted ?? 0, spilled: past?.spilled };
  /** For posted views, as of the last report; not updated while the accounting of an nginx begins. */
  let missing = past ? Math.max(0, postedGap(instances.totals()) - beginning.posted) : 0;
  // Ingested after the previous sidecar's last report. The transport does not matter for the sum.
  if (past) before.intake += Math.max(0, sequence() - past.sequence);
  let last: NginxAccounts | undefined;
  let heardAt = Number.NEGATIVE_INFINITY;
  /** Of the views that nginx reported as spilled, those that did not arrive; as of the last time that the folder was empty. */
  let spilledGap = past?.spilledGap ?? 0;
  let lastChange = { views: 0, at: Number.POSITIVE_INFINITY };
  let lately: number[] = [];
  metrics.of('nginx_up').follow(() => (isHeard() ? 1 : 0));
  return {
    report(report) {
      heardAt = now();
      const standing = instances.note(report);
      const totals = instances.totals();
      last = {
        reportedAt: heardAt,
        captured: totals.captured,
        ingested: ingested(),
        buffered: totals.waiting,
        spilled: totals.spilled,
        diverted: totals.diverted,
        dropped: totals.dropped,
        unaccounted: unaccountedIn(totals, standing),
        instances: instances.reporting().map((one) => ({
          started: one.started,
          instance: one.instance,
          reportedAt: one.heardAt,
          captured: one.captured,
          buffered: one.waiting,
          spilled: one.spilled,
          dropped: one.dropped,
          oneIn: one.one_in,
          off: one.off,
          release: one.release,
        })),
      };
      publish(totals, last.unaccounted);
    },
    accounts: () => last,
    isSpillBarred: () =>
      instances
        .reporting()
        .some(({ isBarred, heardAt: at }) => isBarred && isRecent(at, now(), SILENT_AFTER_MS)),
    missing: () => (lately.length < MISSING_AFTER ? undefined : Math.max(0, Math.min(...lately))),
  };

  function isHeard(): boolean {
    return isRecent(heardAt, now(), SILENT_AFTER_MS);
  }

  function unaccountedIn(totals: NginxTotals, standing: Standing): number {
    const here = taken();
    const posted = postedGap(totals);
    begin(standing, posted);
    // Once the folder is empty, none of them can be waiting: nginx also counts a spill that the disk rejected.
    const isNoneSpilled = metrics.of('spill_waiting_bytes').value() === 0;
    if (isNoneSpilled) {
      spilledGap = totals.spilled - here.spill;
      beginning.spilled ??= spilledGap;
    }
    let unaccounted = posted - beginning.posted + spilledGap - (beginning.spilled ?? spilledGap);
    const hasCome = hasSettled(totals.captured + here.intake + here.spill);
    const isAtRest = hasCome && isNoneSpilled && totals.waiting === 0;
    if (unaccounted < 0 && isAtRest) {
      // This many were in flight at the first report and have arrived since, or an nginx stopped before it could report them. Only when
      // idle: otherwise a view may be here and still wait there, because nginx timed out too early.
      beginning.posted += unaccounted;
      unaccounted = 0;
    }
    // When idle, nothing is in flight.
    lately = isAtRest
      ? Array.from({ length: MISSING_AFTER }, () => unaccounted)
      : [...lately, unaccounted].slice(-MISSING_AFTER);
    if (!instances.isBeginning()) missing = Math.max(0, posted - beginning.posted);
    file.store({ ...instances.toRemember(), ...beginning, ...here, spilledGap, sequence: sequence() });
    return unaccounted;
  }

  /** Views that nginx posted, minus those that arrived. */
  function postedGap(totals: NginxTotals): number {
    const here = taken();
    return postedIn(totals) - (here.intake - here.known);
  }

  /**
   * The accounting of an nginx that started before it begins with the report after which most is missing. Views that arrive before the
   * report that counts them hide missing ones; views in flight add to them, which is corrected when nginx is idle. Views that were missing
   * before that nginx started stay missing.
   */
  function begin(standing: Standing, posted: number): void {
    if (standing === 'whole') return;
    if (standing === 'second') {
      beginning.posted = Math.max(beginning.posted, posted - missing);
      return;
    }
    missing += spilledGap - (beginning.spilled ?? spilledGap);
    beginning.spilled = undefined;
    beginning.posted = posted - missing;
  }

  /** Whether nothing was captured and nothing arrived for a while, according to every nginx; `views`: their total. */
  function hasSettled(views: number): boolean {
    if (views !== lastChange.views) lastChange = { views, at: heardAt };
    if (heardAt - lastChange.at < AT_REST_AFTER_MS) return false;
    return instances.reporting().every((one) => one.heardAt > lastChange.at);
  }

  function ingested(): number {
    const { intake, spill, known } = taken();
    return intake + spill - known;
  }

  /** By this sidecar and earlier ones. */
  function taken(): typeof before {
    const lines = (from: string) => metrics.of('intake_lines_total', { from }).value();
    const known = (from: string) => metrics.of('intake_duplicates_total', { from }).value();
    return {
      intake: before.intake + lines('intake'),
      spill: before.spill + lines('spill'),
      known: before.known + known('intake') + known('spill'),
    };
  }

  function publish(totals: NginxTotals, unaccounted: number): void {
    metrics.of('nginx_captured_total').set(totals.captured);
    metrics.of('nginx_buffered').set(totals.waiting);
    metrics.of('nginx_spilled_total', { way: 'away' }).set(totals.diverted);
    metrics.of('nginx_spilled_total', { way: 'failed' }).set(Math.max(0, totals.spilled - totals.diverted));
    metrics.of('nginx_dropped_total').set(totals.dropped);
    metrics.of('nginx_spill_full_total').set(totals.fulls);
    metrics.of('nginx_unaccounted').set(unaccounted);
  }
}
