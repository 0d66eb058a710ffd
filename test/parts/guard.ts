import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let guardian: ChildProcess | undefined;

/** Makes sure that the process group is killed when this process is gone. Returns a function that cancels this. */
export function guardGroup(group: number): () => void {
  return guard(`group ${group}`);
}

/** A new folder in the system's temporary folder or a named one. `remove` deletes it; otherwise it is deleted when this process is gone. */
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
  const child = spawn('sh', [join(import.meta.dirname, 'guardian.sh')], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.unref();
  if (child.stdin !== null && 'unref' in child.stdin && typeof child.stdin.unref === 'function') {
    child.stdin.unref();
  }
  return child;
}
