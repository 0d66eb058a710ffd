import {
  createBacktest,
  createGrid,
  GRID,
  type GridOutcome,
  gridRule,
  type Summary,
  summaryOf,
} from '../detect/backtest.ts';
import type { Core } from './core.ts';
import { createDelays, type Delays } from './delays.ts';
import { openPast } from './open-past.ts';
import { type CatalogueFrom, pastEventsOf, readPastRules } from './past-rules.ts';

export type TriedRules = {
  /** Where the views were read, for people who do not know this host. */
  source: string;
  views: number;
  /** Times of the first and the last of them, and from when a surge could be found; missing without a view. */
  span?: { from: number; to: number; surgesFrom: number };
  /** The time that was allowed was over before all was read. */
  isCut: boolean;
  /** What is there and cannot be read. */
  damage?: string;
  /** What the rules of now give. */
  inForce: Summary;
  grid: GridOutcome[];
  /** From a view to this log; missing where its records do not say when they came. */
  delays?: Delays;
};

export type TryRulesOptions = {
  range: { from: number; to: number };
  /** When to stop reading, ms since 1970. */
  deadline: number;
  onRead: (done: number, of: number | undefined) => void;
  catalogue: CatalogueFrom['catalogue'];
};

class OutOfTime extends Error {}

/**
 * Passes the views of a time through detection with the rules of now, and with each combination of the grid. They are read from Kafka, or
 * without it from the spool of this host. Takes 30 MB for each combination. Rejects with a `Trouble` where there is nothing to be read.
 */
export async function tryRules(
  core: Core,
  { range, deadline, onRead, catalogue }: TryRulesOptions,
): Promise<TriedRules> {
  const { config, parts } = core;
  const { compile, overrides } = await readPastRules(config, config.heat.rules, { catalogue });
  const past = await openPast(core, parts.kafka ? 'kafka' : 'spool');
  const delays = createDelays();
  let came: number | undefined;
  const common = { wordsOf: (name: string) => events.event.wordsOf(name), overrides };
  const inForce = createBacktest({ ...common, rules: compile() });
  const grid = createGrid({ ...common, ...GRID, rulesOf: (cell) => compile(gridRule(cell)) });
  const events = pastEventsOf(config, past.name, {
    range,
    observe(view) {
      if (came !== undefined) delays.add(came - view.time());
      inForce.observe(view);
      grid.observe(view);
    },
  });
  try {
    const reach = await past.read({ range, take, refuse: events.refuse, onRead: read }).catch(cut);
    const { views } = events.end();
    const outcome = inForce.finish();
    const { span, surgesFrom } = outcome;
    const found = delays.summary();
    return {
      source: parts.kafka ? 'Kafka' : 'the spool of this host',
      views,
      ...(span !== undefined && { span: { ...span, surgesFrom: surgesFrom ?? span.from } }),
      isCut: reach === undefined,
      ...(reach?.damage !== undefined && { damage: reach.damage }),
      inForce: summaryOf(outcome),
      grid: grid.finish(),
      ...(found !== undefined && { delays: found }),
    };
  } finally {
    await past.close();
  }

  function take(...[bytes, at, until, received, place]: Parameters<typeof events.take>): void {
    came = received;
    events.take(bytes, at, until, received, place);
  }

  function read(done: number, of: number | undefined): void {
    if (core.now() > deadline) throw new OutOfTime();
    onRead(done, of);
  }
}

/** What was read until then stands. */
function cut(error: unknown): undefined {
  if (!(error instanceof OutOfTime)) throw error;
  return undefined;
}
