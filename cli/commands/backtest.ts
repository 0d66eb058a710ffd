import { createCore } from '../../app/core.ts';
import { openPast, type Past } from '../../app/open-past.ts';
import { pastEventsOf, readPastRules } from '../../app/past-rules.ts';
import { createBacktest, createGrid, GRID, gridRule } from '../../detect/backtest.ts';
import { TooManyBadEvents } from '../../heat/past-events.ts';
import { Trouble } from '../../service/trouble.ts';
import { type BacktestAnswer, backtestText } from '../backtest-text.ts';
import type { Command, Flags } from '../command.ts';
import { configure } from '../configure.ts';
import { UsageError } from '../parse-command-line.ts';
import { parseRange } from '../parse-range.ts';
import { createProgress } from '../progress.ts';
import { print, printJson } from '../terminal.ts';

/** A detector of 30 MB each. */
const MOST_CELLS = 16;

export const backtest: Command = {
  about:
    'shows which items of past events would have been hot, when and why, with the current rules or others',
  options: {
    from: {
      type: 'string',
      placeholder: 'SOURCE',
      about: 'spool (of this host), kafka, or a file with one event per line; - is standard input',
    },
    rules: { type: 'string', placeholder: 'FILE', about: 'rules file to test, instead of heat.rules' },
    since: { type: 'string', placeholder: 'TIME', about: 'views from this time on: ISO 8601, or like -2h' },
    until: { type: 'string', placeholder: 'TIME', about: 'views before this time (now)' },
    node: { type: 'string', placeholder: 'NAME', about: 'only views of this node, as its sidecar sees them' },
    grid: { type: 'boolean', about: 'test several thresholds, and print the result of each combination' },
    'busy-from': {
      type: 'string',
      placeholder: 'N,N',
      about: `with --grid: views/s from which an item is busy (${GRID.busyFrom})`,
    },
    surprise: {
      type: 'string',
      placeholder: 'N,N',
      about: `with --grid: S from which an item is a surge (${GRID.surprise})`,
    },
    json: { type: 'boolean', about: 'print JSON' },
  },
  configured: true,
  async run(context) {
    const {
      from,
      rules: file,
      since,
      until,
      node,
      grid,
      'busy-from': busy,
      surprise,
      json,
      ...rest
    } = context.flags;
    if (typeof from !== 'string')
      throw new UsageError('backtest: needs --from, for example --from spool, or --from events.ndjson');
    const thresholds = {
      busyFrom: parseList('busy-from', busy, GRID.busyFrom),
      surprise: parseList('surprise', surprise, GRID.surprise),
    };
    if (grid !== true && (busy !== undefined || surprise !== undefined))
      throw new UsageError('backtest: --busy-from and --surprise need --grid');
    if (grid === true && thresholds.busyFrom.length * thresholds.surprise.length > MOST_CELLS)
      throw new UsageError(`--grid: at most ${MOST_CELLS} combinations at once`);
    const core = createCore(configure({ ...context, flags: rest }));
    const { heat, kafka } = core.config;
    if (from === 'kafka' && kafka.brokers.length === 0)
      throw new UsageError('--from kafka: no brokers are configured (KAFKA_BROKERS)');
    const range = rangeOf({ since, until }, core.now());
    const path = typeof file === 'string' ? file : heat.rules;
    const reading = createProgress('reading the catalogue');
    const { cap, compile, overrides } = await readPastRules(core.config, path, {
      onRead: reading.show,
    }).finally(reading.end);
    const past = await openPast(core, from);
    const progress = createProgress('read');
    try {
      const outcome = await runBacktest(past);
      progress.end();
      if (json === true) printJson(outcome);
      else print(backtestText(outcome));
      return outcome.damage === undefined ? 0 : 1;
    } catch (error) {
      if (error instanceof TooManyBadEvents) throw new Trouble(error.message, 'Is it a file of events?');
      throw error;
    } finally {
      progress.end();
      await past.close();
    }

    async function runBacktest(source: Past): Promise<BacktestAnswer> {
      const common = { wordsOf: (name: string) => events.event.wordsOf(name), overrides };
      const one = grid === true ? undefined : createBacktest({ ...common, rules: compile() });
      const many =
        grid === true
          ? createGrid({ ...common, ...thresholds, rulesOf: (cell) => compile(gridRule(cell)) })
          : undefined;
      const events = pastEventsOf(core.config, String(from), {
        range,
        node: typeof node === 'string' ? node : undefined,
        observe: one?.observe ?? many?.observe ?? (() => {}),
      });
      const { damage } = await source.read({ ...events, range, onRead: progress.show });
      const counts = events.end();
      return {
        log: source.name,
        rules: path ?? null,
        cap,
        ...(damage !== undefined && { damage }),
        counts,
        ...(one !== undefined && { found: one.finish() }),
        ...(many !== undefined && { grid: many.finish() }),
      };
    }
  },
};

/** Without `--since` and `--until` also what is of a time to come, as far as its place in the log bears it out. */
function rangeOf({ since, until }: Flags, now: number): { from: number; to: number } {
  if (since === undefined && until === undefined) return { from: 0, to: Number.MAX_SAFE_INTEGER };
  return parseRange({ from: since, to: until }, now, { from: 'since', to: 'until' });
}

function parseList(flag: string, text: Flags[string], fallback: readonly number[]): readonly number[] {
  if (typeof text !== 'string') return fallback;
  const numbers = text.split(',').map(Number);
  if (numbers.every((number) => Number.isFinite(number) && number > 0 && number <= 1_000_000)) return numbers;
  throw new UsageError(
    `--${flag}: must be numbers above 0, with commas (got ${JSON.stringify(text.slice(0, 60))})`,
  );
}
