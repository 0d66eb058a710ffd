import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** What one step of the run came to. Lint and types count as one test each. */
type Result = { step: string; passed: number; failed: number; skipped: number; seconds: number };

const { values: flags } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    // Nothing but the fault suite, and all of it.
    faults: { type: 'boolean', default: false },
  },
});
const bin = join(import.meta.dirname, '../node_modules/.bin');
const scratch = mkdtempSync(join(tmpdir(), 'hotitem-test-'));
chmodSync(scratch, 0o1777);
const partsFile = join(scratch, 'parts');

const results = flags.faults ? [faults()] : everything();
table();
rmSync(scratch, { recursive: true, force: true });

function everything(): Result[] {
  return [
    check('lint', 'biome', ['ci', '--error-on-warnings', '.']),
    check('types', 'tsc', ['-p', 'tsconfig.json']),
    check('types of njs', 'tsc', ['-p', 'njs/tsconfig.json']),
    tests('unit', ['test/unit', '--forceExit']),
    // Two at a time: most of a suite is waiting for nginx, Kafka or Elasticsearch to start, and each has its own.
    tests('integration', ['test/integration', '--maxWorkers=2', '--forceExit']),
    faults(),
  ];
}

function faults(): Result {
  return tests('faults', ['test/faults', '--runInBand', '--forceExit']);
}

function check(step: string, command: string, args: string[]): Result {
  const { status, seconds } = run(step, command, args);
  return { step, passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0, seconds };
}

function tests(step: string, args: string[]): Result {
  const outputFile = join(scratch, `${step}.json`);
  const { status, seconds } = run(`${step} tests`, 'jest', [...args, '--json', `--outputFile=${outputFile}`]);
  if (!existsSync(outputFile)) return { step, passed: 0, failed: 1, skipped: 0, seconds };
  const report = JSON.parse(readFileSync(outputFile, 'utf8'));
  // A suite that could not even be loaded, and a run that failed with no test to blame, are failures too.
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  return {
    step,
    passed: report.numPassedTests,
    failed: status !== 0 && failed === 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
    seconds,
  };
}

function run(what: string, command: string, args: string[]): { status: number | null; seconds: number } {
  process.stdout.write(`\nhotitem: ${what} …\n`);
  const began = performance.now();
  const { status } = spawnSync(join(bin, command), args, {
    // jest prints its JSON to standard output as well; people read what it says on standard error.
    stdio: ['ignore', command === 'jest' ? 'ignore' : 'inherit', 'inherit'],
    env: {
      ...process.env,
      // What a test leaves behind goes with the run. Like /tmp, for what a test runs as another user.
      TMPDIR: scratch,
      HOTITEM_TEST_PARTS: partsFile,
      ...((flags.full || flags.faults) && { HOTITEM_TEST_FULL: '1' }),
    },
  });
  return { status, seconds: (performance.now() - began) / 1000 };
}

function table(): void {
  const parts = existsSync(partsFile) ? readFileSync(partsFile, 'utf8').trim().split('\n') : [];
  const sum = (key: 'passed' | 'failed' | 'skipped') =>
    results.reduce((total, result) => total + result[key], 0);
  const lines = [
    '',
    'step            passed  failed  skipped  seconds',
    ...results.map(({ step, passed, failed, skipped, seconds }) =>
      [
        step.padEnd(14),
        ...[passed, failed, skipped, Math.round(seconds)].map((n) => String(n).padStart(7)),
      ].join(' '),
    ),
    '',
    'ran against',
    ...[...new Set(parts)].sort().map((part) => `  ${part}`),
    '',
    `${sum('passed')} passed, ${sum('failed')} failed${sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : ''}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = sum('failed') > 0 ? 1 : 0;
}
