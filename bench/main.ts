import { parseArgs } from 'node:util';
import { accuracy } from './accuracy.ts';
import { attacks } from './attacks.ts';
import { away } from './away.ts';
import { backtest } from './backtest.ts';
import type { Bench, Outcome } from './bench.ts';
import { capture } from './capture.ts';
import { forward } from './forward.ts';
import { freshness } from './freshness.ts';
import { growth } from './growth.ts';
import { heat } from './heat.ts';
import { intake } from './intake.ts';
import { latency } from './latency.ts';
import { loop } from './loop.ts';
import { origin } from './origin.ts';
import { page } from './page.ts';
import { query } from './query.ts';
import { rules } from './rules.ts';
import { sink } from './sink.ts';
import { printTable } from './table.ts';

const BENCHES: Record<string, Bench> = {
  accuracy,
  attacks,
  capture,
  latency,
  loop,
  away,
  backtest,
  freshness,
  forward,
  growth,
  heat,
  intake,
  origin,
  page,
  query,
  rules,
  sink,
};

const { values: flags, positionals } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
  },
  allowPositionals: true,
});
const [name = ''] = positionals;
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(`Usage: npm run bench -- NAME [--json] [--quick] [--only REGEXP]\n\n`);
  for (const [known, { about }] of Object.entries(BENCHES))
    process.stderr.write(`  ${known.padEnd(12)}${about}\n`);
  process.stderr.write(`\n  --quick     one short round: whether it runs, not what comes out\n`);
  process.stderr.write(
    `  --only      attacks: those whose line, as it is printed, matches this regular expression; origin: of cacheable, cookie, no-store, killed, cold; page: of browser, stream, readers, intake; query: questions, such as duckdb: ranking\n`,
  );
  process.exitCode = 2;
} else {
  const report = (line: string) => process.stderr.write(`${line}\n`);
  const outcome = await bench.run({
    report,
    quick: flags.quick,
    isWanted: (part) => new RegExp(flags.only).test(part),
  });
  if (flags.json) printJson(name, outcome);
  else print(outcome);
  // Whatever a bench leaves open must not keep it from ending.
  process.exit();
}

function printJson(bench: string, { tables, targets }: Outcome): void {
  for (const { title, cases } of tables) {
    for (const one of cases) process.stdout.write(`${JSON.stringify({ bench, table: title, ...one })}\n`);
  }
  process.stdout.write(`${JSON.stringify({ bench, targets })}\n`);
}

function print({ tables, targets, notes = [] }: Outcome): void {
  for (const { title, cases } of tables) {
    process.stdout.write(`\n${title}\n`);
    printTable(cases);
  }
  for (const note of notes) process.stdout.write(`\n${note}\n`);
  process.stdout.write('\n');
  for (const { target, measured, reached } of targets) {
    process.stdout.write(`${reached ? 'reached    ' : 'NOT reached'} ${target} (measured ${measured})\n`);
  }
}
