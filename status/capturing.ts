import type { Finding } from '../service/finding.ts';
import type { Nginx } from '../sidecar/sidecar.ts';
import { isoTime } from './iso-time.ts';

export type Clause = { text: string; findings: Finding[] };

/** A running nginx reports every second; it retries a sidecar that was unavailable after 20. */
const SILENT_AFTER_MS = 30_000;

/** Whether an nginx that reported does so no more. A report from the future is from before the clock was set back. */
export function isSilent(reportedAt: number, now: number): boolean {
  return Math.abs(now - reportedAt) > SILENT_AFTER_MS;
}

/** Whether nginx captures, by its own report: the mode that the sidecar sent may not apply. */
export function capturing({ capture, accounts }: Nginx, received: number, now: number): Clause {
  if (accounts === undefined) return unreported(capture, received);
  if (isSilent(accounts.reportedAt, now)) return silent(accounts.reportedAt);
  const instances = accounts.instances ?? [];
  if (instances.some(({ off }) => off)) return off();
  const oneIn = instances.at(-1)?.oneIn ?? (capture.mode === 'off' ? 0 : undefined);
  if (oneIn === 0) return switchedOff(capture.mode === 'off');
  if (oneIn !== undefined && oneIn > 1) return { text: `captures 1 view in ${oneIn}`, findings: [] };
  return { text: 'captures', findings: [] };
}

/** No nginx has reported to this sidecar: only http-batch.conf reports, and only it follows the mode. */
function unreported({ mode }: Nginx['capture'], received: number): Clause {
  const text =
    received === 0 ? 'nothing captured yet' : `captures: ${received} lines since the sidecar started`;
  return { text, findings: mode === 'off' || mode === 'sample' ? [notFollowed(mode)] : [] };
}

function notFollowed(mode: string): Finding {
  return {
    id: 'capture-not-followed',
    severity: 'error',
    what: `hotitem capture ${mode} is set, but no nginx has reported that it follows`,
    why: 'only http-batch.conf follows it, within 20 s: without it, nginx captures as configured',
    fix: 'include http-batch.conf, or off.conf in place of http.conf, and reload; hotitem capture on ends this',
    command: 'hotitem check --nginx',
  };
}

function silent(since: number): Clause {
  const text = `nginx is silent since ${isoTime(since)}`;
  return {
    text,
    findings: [
      {
        id: 'nginx-silent',
        severity: 'error',
        what: text,
        why: 'it reports every second if it runs and can reach the socket of the sidecar',
        fix: 'start it; hotitem check --nginx checks whether it can reach the socket',
        command: 'systemctl start nginx',
      },
    ],
  };
}

function off(): Clause {
  return {
    text: 'captures NOTHING: nginx includes off-batch.conf',
    findings: [
      {
        id: 'capture-off',
        severity: 'error',
        what: 'nginx includes off-batch.conf (or off.conf) in place of http.conf',
        why: 'nothing is captured, whatever `hotitem capture` sets',
        fix: 'replace it with http.conf in nginx.conf, and reload; hotitem check --nginx names the line',
        command: 'hotitem check --nginx',
      },
    ],
  };
}

function switchedOff(byUs: boolean): Clause {
  const who = byUs ? 'hotitem capture off' : '$hotitem_mode_default is off in the configuration of nginx';
  return {
    text: `captures NOTHING: ${who}`,
    findings: [
      {
        id: 'capture-switched-off',
        severity: 'error',
        what: `capture is switched off: ${who}`,
        why: 'no views are counted meanwhile',
        fix: byUs ? 'switch it on again' : 'hotitem capture on, or remove that map from nginx.conf',
        command: 'hotitem capture on',
      },
    ],
  };
}
