import * as z from 'zod';
import type { Answer } from '../ingest/connections.ts';
import type { IntakeRoute, Question } from '../ingest/intake.ts';
import type { NginxAccounting } from './nginx-accounting.ts';
import { toNginxReport } from './report.ts';
import type { Control } from './switch.ts';

/** How long nginx applies the mode without a new answer. */
const LEASE_MS = 10_000;
/** nginx waits less than one second. A stopping sidecar waits as long as its last client. */
const LONGEST_WAIT_MS = 5_000;

const natural = z.coerce.number().int().min(0).catch(0);

export type PollRouteOptions = {
  control: Control;
  accounting: NginxAccounting;
  warn: (key: string, message: string, fields?: object) => void;
};

/**
 * `GET /v1/control?version=V&wait=MS&…` on the intake socket: a long poll for the capture mode. It answers as soon as the version is not V,
 * or 204 after the wait. The rest of the query is nginx's report. Workers cannot set the mode: see switch-route.ts.
 */
export function createPollRoute({ control, accounting, warn }: PollRouteOptions): IntakeRoute {
  /** The pending poll of each nginx. */
  const waiting = new Map<string, AbortController>();
  return async (question) =>
    question.method === 'GET' ? tell(question) : { status: 405, value: { error: 'only GET' } };

  async function tell({ query, gone }: Question): Promise<Answer> {
    const report = toNginxReport(query);
    if (report !== undefined && 'problem' in report) {
      warn('nginx report', 'a report of nginx is invalid and not counted', { reason: report.problem });
    } else if (report !== undefined) {
      accounting.report(report);
    }
    const wait = query.get('wait');
    if (wait === null) return toldNow();
    const version = natural.parse(query.get('version'));
    const end = new AbortController();
    gone.addEventListener('abort', () => end.abort());
    replacePoll(query.get('instance'), end);
    const timer = setTimeout(() => end.abort(), Math.min(natural.parse(wait), LONGEST_WAIT_MS));
    await control.changed(version, end.signal);
    clearTimeout(timer);
    return control.state().version === version ? { status: 204 } : toldNow();
  }

  function toldNow(): Answer {
    return { status: 200, value: { ...control.state(), lease_ms: LEASE_MS } };
  }

  /** A new poll ends the previous one of the same nginx: an exiting worker would otherwise wait for its answer. */
  function replacePoll(instance: string | null, poll: AbortController): void {
    if (instance === null) return;
    waiting.get(instance)?.abort();
    waiting.set(instance, poll);
    poll.signal.addEventListener('abort', () => {
      if (waiting.get(instance) === poll) waiting.delete(instance);
    });
  }
}
