import type { Metrics } from '../service/metrics.ts';
import type { SIDECAR_METRICS } from './metrics.ts';
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
   * Of the views captured since the sidecar's first report of this nginx: neither taken in here, nor waiting in the
   * zone or the spill folder, nor dropped. At rest 0; under load it holds what is on its way.
   */
  unaccounted: number;
};

export type NginxBooks = {
  report(report: NginxReport): void;
  /** Undefined until nginx has reported. */
  accounts(): NginxAccounts | undefined;
};

export type NginxBooksOptions = { metrics: Metrics<typeof SIDECAR_METRICS>; now: () => number };

/** nginx reports every second. */
const SILENT_AFTER_MS = 5_000;

export function createNginxBooks({ metrics, now }: NginxBooksOptions): NginxBooks {
  let first: { started: number; gap: number } | undefined;
  let last: NginxAccounts | undefined;
  let heardAt = Number.NEGATIVE_INFINITY;
  /** Of the views that nginx says it spilled: those from before this sidecar's time, and those that are lost. */
  let neverComing = 0;
  metrics.of('nginx_up').follow(() => (now() - heardAt < SILENT_AFTER_MS ? 1 : 0));
  return {
    report(report) {
      heardAt = now();
      const gap = gapOf(report);
      if (first?.started !== report.started) first = { started: report.started, gap };
      last = {
        reportedAt: heardAt,
        captured: capturedIn(report),
        buffered: report.waiting,
        spilled: report.spilled,
        diverted: report.diverted,
        dropped: report.dropped,
        unaccounted: gap - first.gap,
      };
      publish(report, last);
    },
    accounts: () => last,
  };

  /** Views that nginx captured and knows to be neither with it nor lost, less those that came here. */
  function gapOf(report: NginxReport): number {
    const notTakenIn = report.spilled - lines('intake_lines_total', ['spill']);
    // With nothing left in the folder none of them waits: nginx counts a spill also where the disk took none.
    if (metrics.of('spill_waiting_bytes').value() === 0) neverComing = notTakenIn;
    const spilledAndWaiting = notTakenIn - neverComing;
    const here =
      lines('intake_lines_total', ['intake', 'spill']) -
      lines('intake_duplicates_total', ['intake', 'spill']);
    return capturedIn(report) - report.waiting - report.dropped - spilledAndWaiting - here;
  }

  function lines(name: 'intake_lines_total' | 'intake_duplicates_total', from: string[]): number {
    return from.reduce((sum, source) => sum + metrics.of(name, { from: source }).value(), 0);
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
