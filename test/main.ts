import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { temporaryFolder } from './parts/guard.ts';
import { parentOfRun } from './parts/run-folder.ts';
import { type SharedParts, startSharedParts } from './parts/shared.ts';

/** What one step of the run came to. Lint and types count as one test each. */
type Result = { step: string; passed: number; failed: number; skipped: number; seconds: number };
type Kind = 'unit' | 'integration' | 'faults';

const { values: flags } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    // Nothing but the fault suite, and all of it.
    faults: { type: 'boolean', default: false },
  },
});
const isLong = flags.full || flags.faults;
/** Suites at a time, on two cores as well: most of a suite is waiting. */
const WORKERS = 6;
const FEW = 2;
const bin = join(import.meta.dirname, '../node_modules/.bin');
/** Where the compiler keeps what it found in each file, so that the next run checks what has changed since, and what depends on that. */
const KNOWN_TYPES = join(bin, '../.cache/types.tsbuildinfo');
/** jest's processes are started with the same flags. */
const JEST = [process.execPath, '--require', join(import.meta.dirname, 'spare-jest.cjs'), join(bin, 'jest')];
// The long forms test the disk as well.
const { path: scratch, remove } = temporaryFolder('test', isLong ? tmpdir() : parentOfRun());
chmodSync(scratch, 0o1777);
// What a test, or a part, leaves behind goes with the run. Like /tmp, for what a test runs as another user.
process.env.TMPDIR = scratch;
const partsFile = join(scratch, 'parts');
process.env.HOTITEM_TEST_PARTS = partsFile;
if (isLong) process.env.HOTITEM_TEST_FULL = '1';

const began = performance.now();
table([...bootstrap(), ...(flags.faults ? await tests(['faults'], 1) : await everything())]);
remove();

async function everything(): Promise<Result[]> {
  // In what time the tests leave: much of a suite is waiting.
  const checks = Promise.all([
    check('lint', ['biome', 'ci', '--error-on-warnings', '.']),
    // Each checker infers what it shares with the others by itself: one needs the least CPU.
    check('types', [
      'tsc',
      '-p',
      'tsconfig.json',
      '--checkers',
      '1',
      '--incremental',
      '--tsBuildInfoFile',
      KNOWN_TYPES,
    ]),
    check('types of njs', ['tsc', '-p', 'njs/tsconfig.json']),
    check('types of the page', ['tsc', '-p', 'page/tsconfig.json']),
  ]);
  const { parts, result } = await sharedParts();
  try {
    const tested = await allTests(parts);
    return [...(await checks), result, ...tested];
  } finally {
    await parts.close();
  }
}

async function allTests({ env }: SharedParts): Promise<Result[]> {
  if (!flags.full) return tests(['unit', 'integration', 'faults'], WORKERS, env);
  // What counts, and what sends at a steady rate, for longer: with less beside it.
  return [
    ...(await tests(['unit'], FEW)),
    ...(await tests(['integration'], FEW, env)),
    ...(await tests(['faults'], 1, env)),
  ];
}

async function sharedParts(): Promise<{ parts: SharedParts; result: Result }> {
  const parts = await startSharedParts();
  return { parts, result: { step: 'parts', passed: 0, failed: 0, skipped: 0, seconds: since(began) } };
}

/** What bootstrap.mjs has done in this process before. */
function bootstrap(): Result[] {
  const steps: Record<string, number> = JSON.parse(process.env.BOOTSTRAP_SECONDS ?? '{}');
  return Object.entries(steps).map(([step, seconds]) => ({
    step,
    passed: 0,
    failed: 0,
    skipped: 0,
    seconds,
  }));
}

async function check(step: string, [tool = '', ...args]: string[]): Promise<Result> {
  const { status, seconds } = await run(step, ['nice', '-n', '10', join(bin, tool), ...args], 'inherit');
  return { step, passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0, seconds };
}

/** Runs these kinds together, `workers` suites at a time. */
async function tests(kinds: Kind[], workers: number, env: Record<string, string> = {}): Promise<Result[]> {
  const what = kinds.join(' and ');
  const outputFile = join(scratch, `${kinds.join('-')}.json`);
  const folders = kinds.map((kind) => `test/${kind}/`);
  const args = [...folders, `--maxWorkers=${workers}`, '--forceExit', '--json', `--outputFile=${outputFile}`];
  // jest prints its JSON to standard output as well; people read what it says on standard error.
  const { status, seconds } = await run(`${what} tests`, [...JEST, ...args], 'ignore', env);
  if (!existsSync(outputFile)) return [{ step: what, passed: 0, failed: 1, skipped: 0, seconds }];
  const report: Report = JSON.parse(readFileSync(outputFile, 'utf8'));
  const results = kinds.map((kind) => resultOf(kind, report));
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  // A run that failed with no test to blame is a failure too.
  return status !== 0 && failed === 0
    ? [...results, { step: what, passed: 0, failed: 1, skipped: 0, seconds }]
    : results;
}

type Report = { testResults: Suite[] };
type Suite = {
  name: string;
  status: string;
  startTime: number;
  endTime: number;
  assertionResults: { status: string }[];
};

/** `seconds`: from the start of its first suite to the end of its last. */
function resultOf(kind: Kind, { testResults }: Report): Result {
  const suites = testResults.filter(({ name }) => relative(import.meta.dirname, name).split(sep)[0] === kind);
  const tests = suites.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
  const passed = tests.filter((status) => status === 'passed').length;
  const failed = tests.filter((status) => status === 'failed').length;
  // A suite that could not even be loaded, and hooks that failed behind its tests.
  const broken = suites.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
  );
  const times = suites.filter(({ endTime }) => endTime > 0);
  const from = Math.min(...times.map(({ startTime }) => startTime));
  const to = Math.max(...times.map(({ endTime }) => endTime));
  return {
    step: kind,
    passed,
    failed: failed + broken.length,
    skipped: tests.length - passed - failed,
    seconds: times.length === 0 ? 0 : (to - from) / 1000,
  };
}

async function run(
  what: string,
  [program = '', ...args]: string[],
  output: 'inherit' | 'ignore',
  env: Record<string, string> = {},
): Promise<{ status: number | null; seconds: number }> {
  process.stdout.write(`\nhotitem: ${what} …\n`);
  const start = performance.now();
  const child = spawn(program, args, {
    stdio: ['ignore', output, 'inherit'],
    env: { ...process.env, ...env },
  });
  const status = await new Promise<number | null>((resolve) => {
    child.once('close', resolve).once('error', () => resolve(1));
  });
  return { status, seconds: since(start) };
}

function since(start: number): number {
  return (performance.now() - start) / 1000;
}

function table(results: Result[]): void {
  const parts = existsSync(partsFile) ? readFileSync(partsFile, 'utf8').trim().split('\n') : [];
  const sum = (key: 'passed' | 'failed' | 'skipped') =>
    results.reduce((total, result) => total + result[key], 0);
  const all = {
    step: 'all',
    passed: sum('passed'),
    failed: sum('failed'),
    skipped: sum('skipped'),
    // Since the process started, with its bootstrap.
    seconds: performance.now() / 1000,
  };
  const lines = [
    '',
    'step            passed  failed  skipped  seconds',
    ...[...results, all].map(({ step, passed, failed, skipped, seconds }) =>
      [
        step.padEnd(14),
        ...[passed, failed, skipped, Math.round(seconds)].map((n) => String(n).padStart(7)),
      ].join(' '),
    ),
    '',
    'ran against',
    ...[...new Set(parts)].sort().map((part) => `  ${part}`),
    '',
    `${all.passed} passed, ${all.failed} failed${all.skipped > 0 ? `, ${all.skipped} skipped` : ''}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = all.failed > 0 ? 1 : 0;
}
