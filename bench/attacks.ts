import { attackIntake } from './attacks-intake.ts';
import { attackTopic } from './attacks-topic.ts';
import type { Bench, Case, Outcome } from './bench.ts';
import type { Attacked } from './responsiveness.ts';
import { round } from './statistics.ts';
import { atMost } from './target.ts';

const MOST_MS = 200;
/** CPU time, which leaves room for what else the machine does. */
const LONGEST_TURN_MS = 100;

export const attacks: Bench = {
  about:
    'whether /livez answers within 200 ms, and what memory it takes, while intake socket and topic are attacked',
  async run(options) {
    const intake = await attackIntake(options);
    const topic = await attackTopic(options);
    return outcome([...intake, ...topic]);
  },
};

function outcome(attacked: Attacked[]): Outcome {
  const targets = [...new Set(attacked.map(({ target }) => target))];
  return {
    tables: targets.map((target) => ({
      title: target,
      cases: attacked.filter((one) => one.target === target).map(row),
    })),
    targets: targets.flatMap((target) => {
      const own = attacked.filter((one) => one.target === target);
      const most = (of: (one: Attacked) => number) => Math.max(...own.map(of));
      return [
        atMost(
          `${target}: /livez, ms`,
          most(({ worst }) => worst),
          MOST_MS,
        ),
        atMost(
          `${target}: longest turn of the event loop, CPU ms`,
          most(({ longestTurn }) => longestTurn),
          LONGEST_TURN_MS,
        ),
      ];
    }),
    notes: [
      '/livez is asked 50 times a second over connections of their own; bare: a Node server that does nothing else, asked at the same time, so what',
      'the machine makes one wait. longest_turn: CPU time between two turns of the event loop, whoever else uses the machine.',
      'docs/operations.md has the memory; the tests verify it.',
    ],
  };
}

function row({ attack, median, worst, bareWorst, longestTurn, peakMb }: Attacked): Case {
  return {
    case: attack,
    livez_median_ms: round(median),
    livez_worst_ms: Math.round(worst),
    bare_worst_ms: Math.round(bareWorst),
    longest_turn_cpu_ms: Math.round(longestTurn),
    peak_mb: Math.round(peakMb),
  };
}
