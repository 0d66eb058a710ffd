import type { State } from './away-states.ts';
import type { Case, Outcome, Target } from './bench.ts';
import { median, round } from './statistics.ts';
import { atMost } from './target.ts';

const MOST_ADDED_MS = { down: 5, hanging: 20, slow: 20 };
// Of nginx/server.conf and http.conf: the time-out of one line, and how long a failure keeps a worker from trying again.
export const TIMEOUT_MS = 150;
const BREAKER_SECONDS = 30;

/** Of one run: latencies in ms, the sender's own lateness at p99, and views that met a time-out. */
export type Figures = {
  p50: number;
  p99: number;
  worst: number;
  late: number;
  stalledAtOnset: number;
  stalledLater: number;
};

/** A transport in a state, and what its rounds gave. */
export type RunsOf = {
  name: string;
  state: State;
  rounds: Figures[];
  /** Views that were answered and must be in the index. `plain` captures none. */
  sent: number;
  failed: number;
};

export type AwayResult = {
  /** Plain first. */
  runs: RunsOf[];
  rate: number;
  seconds: number;
  /** Views in the index. */
  indexed: number;
};

/** The table and the targets: medians over the rounds, the worst and the stalled of all rounds. */
export function awayOutcome({ runs, rate, seconds, indexed }: AwayResult): Outcome {
  const [plain] = runs;
  const p99 = ({ rounds }: RunsOf) => median(rounds.map((one) => one.p99));
  const plainP99 = plain === undefined ? Number.NaN : p99(plain);
  const sent = runs.reduce((sum, run) => sum + run.sent, 0);
  const periods = Math.ceil(seconds / BREAKER_SECONDS);
  return {
    tables: [{ title: `pages at ${rate} views/s, one worker`, cases: runs.map((run) => row(run, plainP99)) }],
    targets: [
      ...runs.flatMap((run) => targetsOf(run)),
      atMost('views lost', Math.max(0, sent - indexed), 0),
      atMost('views counted twice', Math.max(0, indexed - sent), 0),
      atMost(
        'failed pages',
        runs.reduce((sum, { failed }) => sum + failed, 0),
        0,
      ),
    ],
    notes: [
      `Latency is from when a view was due; sender_late_p99_ms is the sender's own error in it. The state begins with the load, on a warm nginx: what the views meet that come until the breaker opens is in the figures. stalled: views that took more than half of the time-out of ${TIMEOUT_MS} ms, in the first second and later. The connection answered last is asked first: the hardest case for what delays the next request of a connection.`,
      `Captured: ${sent.toLocaleString('en')} views; in the index: ${indexed.toLocaleString('en')}.`,
    ],
  };

  function targetsOf(run: RunsOf): Target[] {
    if (run.state === 'up') return [];
    const limit = MOST_ADDED_MS[run.state];
    const added = atMost(`p99 over plain in ms, ${run.name}`, p99(run) - plainP99, limit);
    // Who is down refuses at once: no time-out is involved.
    if (run.state === 'down') return [added];
    const stalled = Math.max(...run.rounds.map((one) => one.stalledLater));
    const worst = Math.max(...run.rounds.map((one) => one.worst));
    return [
      added,
      atMost(`views stalled once the breaker was open (one a period), ${run.name}`, stalled, periods),
      atMost(`worst in ms (time-out and what the machine adds), ${run.name}`, worst, TIMEOUT_MS + limit),
    ];
  }
}

function row({ name, rounds, failed }: RunsOf, plainP99: number): Case {
  const of = (figure: keyof Figures) => median(rounds.map((one) => one[figure]));
  return {
    case: name,
    p50_ms: round(of('p50'), 2),
    p99_ms: round(of('p99'), 2),
    p99_over_plain_ms: round(of('p99') - plainP99, 2),
    worst_ms: round(Math.max(...rounds.map(({ worst }) => worst)), 1),
    stalled_at_onset: of('stalledAtOnset'),
    stalled_later: of('stalledLater'),
    sender_late_p99_ms: round(of('late'), 2),
    failed_pages: failed,
  };
}
