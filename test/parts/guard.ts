import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let guardian: ChildProcess | undefined;

/** Has the process group killed when this process is gone. Returns what takes that back. */
export function guardGroup(group: number): () => void {
  return guard(`group ${group}`);
}

/** A new folder under the system's temporary one, unless another is named, removed by `remove`, at the latest when this process is gone. */
export function temporaryFolder(name: string, parent = tmpdir()): { path: string; remove: () => void } {
  const path = mkdtempSync(join(parent, `hotitem-${name}-`));
  const release = guard(`folder ${path}`);
  return {
    path,
    remove() {
      rmSync(path, { recursive: true, force: true, maxRetries: 5 });
      release();
    },
  };
}

function guard(what: string): () => void {
  guardian ??= startGuardian();
  const { stdin } = guardian;
  stdin?.write(`${what}\n`);
  return () => stdin?.write(`-${what}\n`);
}

function startGuardian(): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'guardian.mjs')], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.unref();
  if (child.stdin !== null && 'unref' in child.stdin && typeof child.stdin.unref === 'function') {
    child.stdin.unref();
  }
  return child;
}
