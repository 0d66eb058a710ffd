import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';
import { capture } from './capture.ts';
import { freshness } from './freshness.ts';
import { printTable } from './table.ts';

const BENCHES: Record<string, Bench> = { capture, freshness };

const { values: flags, positionals } = parseArgs({
  options: { json: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [name = ''] = positionals;
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(`Usage: npm run bench -- NAME [--json]\n\n`);
  for (const [known, { about }] of Object.entries(BENCHES))
    process.stderr.write(`  ${known.padEnd(12)}${about}\n`);
  process.exitCode = 2;
} else {
  const { cases, targets, notes } = await bench.run((line) => process.stderr.write(`${line}\n`));
  if (flags.json) {
    for (const one of cases) process.stdout.write(`${JSON.stringify({ bench: name, ...one })}\n`);
    process.stdout.write(`${JSON.stringify({ bench: name, targets })}\n`);
  } else {
    printTable(cases);
    for (const note of notes ?? []) process.stdout.write(`\n${note}\n`);
    process.stdout.write('\n');
    for (const { target, measured, reached } of targets) {
      process.stdout.write(`${reached ? 'reached    ' : 'NOT reached'} ${target} (measured ${measured})\n`);
    }
  }
  // Whatever a bench leaves open must not keep it from ending.
  process.exit();
}
