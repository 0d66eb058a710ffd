import type { HealthAnswer } from '../../sidecar/routes/answers.ts';
import { age, count, timeOfDay } from '../words.ts';

/** `mark`: the verdict in a word or two. `isFine`: undefined where it may be. */
export type Verdict = { isFine: boolean | undefined; mark: string; words: string };

/** A loss within this time goes on, and what answered within it is reachable. */
export const JUST_NOW_MS = 60_000;
/** What waits for longer is behind. */
const BEHIND_MS = 10_000;
/** Views that Kafka has had for longer and the index has not are behind: an index shows what is new every few seconds. */
const SINK_BEHIND_MS = 60_000;
/** A running nginx reports every second. */
const SILENT_MS = 30_000;

/** Whether an nginx has not reported for too long. A report from the future is from before the clock was set back. */
export function isSilent(reportedAt: number, now: number): boolean {
  return Math.abs(now - reportedAt) > SILENT_MS;
}

/** How long one that is silent has been: `silent for 40 s` */
export function silence(reportedAt: number, now: number): string {
  return reportedAt > now ? 'silent since the clock was set back' : `silent for ${age(now - reportedAt)}`;
}

export function isBehind({ oldestMs = 0 }: HealthAnswer['behind']): boolean {
  return oldestMs > BEHIND_MS;
}

/**
 * Whether the index has what Kafka accepted. Undefined where that is not known: the index did not answer, was not asked for a while, or has no
 * view, and none needs to be there. One second with views is not enough: the sink may have rejected them.
 */
function indexState({ kafka, newest, now }: HealthAnswer): 'fine' | 'may be behind' | 'behind' | undefined {
  if (kafka === undefined || kafka.behind?.events === 0) return 'fine';
  if (newest === undefined || now - newest.askedAt > SINK_BEHIND_MS) return undefined;
  if (kafka.after !== undefined && newest.askedAt - kafka.after.since > SINK_BEHIND_MS)
    return kafka.after.seconds > 1 ? 'behind' : 'may be behind';
  return newest.time === undefined ? undefined : 'fine';
}

/** The first sentence: the worst that is so. */
export function verdictOf(answer: HealthAnswer): Verdict {
  const { now, nginx, capture, losses, unaccounted, outage, parts, behind, dead, stages } = answer;
  const bad = (mark: string, words: string): Verdict => ({ isFine: false, mark, words });
  const off = nginx.filter((one) => one.off).length;
  const isUnreported = nginx.length === 0;
  if (isUnreported && (capture === 'off' || capture === 'sample'))
    return bad(
      'capture not followed',
      `Capture was set to ${capture}, but no nginx has reported that it follows: only http-batch.conf does. hotitem status says what to do.`,
    );
  if (capture === 'off' || (off > 0 && off === nginx.length))
    return bad('off', 'Capture is off: nothing is counted. What was counted is safe.');
  const silent = nginx.find(({ reportedAt }) => isSilent(reportedAt, now));
  if (silent !== undefined)
    return bad(
      'nginx silent',
      `nginx has been ${silence(silent.reportedAt, now)}: it does not run, or cannot reach the sidecar.`,
    );
  const losing = losses.filter(({ last }) => now - last < JUST_NOW_MS);
  if (losing.length > 0)
    return bad(
      'losing',
      `Views are being lost: ${count(losing.reduce((sum, { views }) => sum + views, 0))} so far. hotitem status says why.`,
    );
  if (unaccounted !== 0)
    return bad(
      'does not balance',
      `The accounting does not balance: ${count(Math.abs(unaccounted))} views are ${unaccounted > 0 ? 'unaccounted for' : 'there twice'}. That would be a defect of hotitem; hotitem status shows the numbers.`,
    );
  if (outage !== undefined)
    return bad(
      'not delivered',
      `Nothing is delivered since ${timeOfDay(outage.since, now)}. Views wait on disk. hotitem status says why.`,
    );
  const stuck = parts.filter(({ isReady }) => !isReady);
  if (stuck.length > 0)
    return bad(
      'not ready',
      `Not all parts make progress: ${stuck.map(({ name }) => name).join(', ')}. hotitem status says why.`,
    );
  if (isBehind(behind))
    return bad(
      'behind',
      `${count(behind.events)} views wait, the oldest for ${age(behind.oldestMs ?? 0)}. Numbers of the index are that old.`,
    );
  const index = indexState(answer);
  const newest =
    answer.newest?.time === undefined
      ? 'The index has no view yet'
      : `The newest view in the index is ${age(Math.max(0, now - answer.newest.time))} old`;
  if (index === 'behind')
    return bad(
      'behind',
      `${newest}, and Kafka has newer ones: no sink runs, or they are behind. hotitem status on the host of a sink says why.`,
    );
  if (off > 0)
    return bad(
      'partly off',
      `Capture is off in ${count(off)} of ${count(nginx.length)} nginx: their views are not counted.`,
    );
  const isIndexed = index === 'fine';
  if (dead.events > 0)
    return bad(
      'dead letters',
      `${count(dead.events)} views were rejected and are kept as dead letters. The others are in ${isIndexed ? 'the index' : 'Kafka'} within seconds. hotitem dead-letters list says why.`,
    );
  if (index === 'may be behind')
    return {
      isFine: undefined,
      mark: 'may be behind',
      words: `${newest}, and Kafka has a newer one: the sinks rejected it, or are behind. hotitem status on the host of a sink says more.`,
    };
  if (stages.every(({ total }) => total === 0)) {
    const none = 'No view has arrived yet since the sidecar started';
    return isUnreported
      ? {
          isFine: undefined,
          mark: 'no view yet',
          words: `${none}, and nginx does not report whether it lost any. hotitem check --nginx says whether it can reach the sidecar.`,
        }
      : { isFine: true, mark: '', words: `Ready. ${none}.` };
  }
  const lost = losses.reduce((sum, { views }) => sum + views, 0);
  const behindNginx = isUnreported
    ? 'nothing is lost behind nginx, which does not report'
    : 'nothing is lost';
  const words = lost === 0 ? behindNginx : `${count(lost)} views were lost some time ago`;
  return {
    isFine: true,
    mark: '',
    words: isIndexed
      ? `All is well: what is captured is in the index within seconds, and ${words}.`
      : `All is well up to Kafka: what is captured is there within seconds, and ${words}. Whether the index has it is not known here.`,
  };
}
