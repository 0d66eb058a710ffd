import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { bundleScript } from '../../parts/bundle-script.ts';

const CHILD = bundleScript(join(import.meta.dirname, 'end-process-child.ts'));
/** As the first process of a container. */
const AS_FIRST = ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'];
const canUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
/** The process is killed, and the test fails, when it has not ended by itself by then. */
const LATE_MS = 60_000;

let folder: string;
let pipe: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hotitem-end-'));
  pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a process exits', () => {
  test('with its status', () => {
    expect(run([])).toMatchObject({ status: 3, stdout: 'exit', isLate: false });
  });

  (canUnshare ? test : test.skip)('although a file hangs, also as the first process of a container', () => {
    expect(run([pipe], AS_FIRST)).toMatchObject({ stdout: 'exit', isLate: false });
  });
});

function run(args: string[], before: string[] = []) {
  const [program = '', ...rest] = [...before, process.execPath, CHILD, ...args];
  const options = { encoding: 'utf8', timeout: LATE_MS, killSignal: 'SIGTERM' } as const;
  const { status, signal, stdout, error } = spawnSync(program, rest, options);
  return { status, signal, stdout, isLate: error !== undefined };
}
