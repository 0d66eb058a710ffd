/*
 * When something last passed each stage on the way of a view, how much in the last ten seconds, and how old is what waits. Counters alone
 * do not tell: a stage that stands still has the same total as one that has nothing to do. Looks once a second, and costs nothing per event.
 */

export type Stage = {
  name: string;
  /** Since the start of this process. */
  total: () => number;
};

export type StageState = {
  name: string;
  total: number;
  /** On average of the last ten seconds. */
  perSecond: number;
  /** When the total last grew, ms since 1970, to the second; missing if it has not. */
  lastAt?: number;
};

export type Flow = {
  /** To be called once a second. */
  look(): void;
  stages(): StageState[];
  /** How long the oldest event in the spool has waited, in ms, to the second; undefined while none waits. */
  oldestMs(): number | undefined;
};

export type FlowOptions = {
  stages: Stage[];
  /** Events accepted since the start, and those that wait, from before the start too. */
  accepted: () => number;
  waiting: () => number;
  now: () => number;
};

const WINDOW = 10;
/** Maximum number of moments at which something was accepted that may still wait. Beyond that, every second one is dropped. */
const MOST_MARKS = 10_000;

export function createFlow({ stages, accepted, waiting, now }: FlowOptions): Flow {
  const started = now();
  const meters = stages.map(createMeter);
  let marks: { at: number; accepted: number }[] = [];
  return { look, stages: () => meters.map((meter) => meter.state()), oldestMs };

  function look(): void {
    const at = now();
    for (const meter of meters) meter.look(at);
    const total = accepted();
    if (total > (marks.at(-1)?.accepted ?? 0)) marks.push({ at, accepted: total });
    forget();
    if (marks.length > MOST_MARKS) marks = marks.filter((_, i) => i % 2 === 0);
  }

  /** What was accepted until then waits no more. */
  function forget(): number {
    const passed = accepted() - waiting();
    const first = marks.findIndex((mark) => mark.accepted > passed);
    marks = first === -1 ? [] : marks.slice(first);
    return passed;
  }

  function oldestMs(): number | undefined {
    if (waiting() <= 0) return undefined;
    // From before the start, or of this second.
    const since = forget() < 0 ? started : (marks[0]?.at ?? now());
    return Math.max(0, now() - since);
  }
}

function createMeter({ name, total }: Stage) {
  /** One total per second, oldest first. */
  let past: number[] = [];
  let lastAt: number | undefined;
  return { look, state };

  function look(at: number): void {
    const current = total();
    if (current > (past.at(-1) ?? 0)) lastAt = at;
    past = [...past, current].slice(-WINDOW - 1);
  }

  function state(): StageState {
    const seconds = Math.max(1, past.length - 1);
    const grown = (past.at(-1) ?? 0) - (past[0] ?? 0);
    return { name, total: total(), perSecond: grown / seconds, ...(lastAt !== undefined && { lastAt }) };
  }
}
