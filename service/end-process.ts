import { setTimeout as sleep } from 'node:timers/promises';

/** Pending work ends without help. */
const GRACE_MS = 500;
const LOOK_MS = 20;
/** Work that Node gives to threads of its own, and that the kernel may hold: files, and names of hosts. */
const ON_A_THREAD = /^(FSReq|GetAddrInfoReq|GetNameInfoReq)/;

/**
 * Ends this process, after its `exit` listeners. `process.exit` waits for every thread that works for Node, and one that the
 * kernel holds (a file system that does not answer, a pipe) would keep the process for ever, whatever signal comes: then it
 * is killed. What is on disk is safe.
 */
export function endProcess(code: number): never {
  process.once('exit', () => {
    if (isOnThread()) die();
  });
  return process.exit(code);
}

/** The same, with half a second for what is under way: so the exit status is `code` unless something hangs. */
export async function endProcessSoon(code: number): Promise<never> {
  const end = performance.now() + GRACE_MS;
  while (isOnThread() && performance.now() < end) await sleep(LOOK_MS);
  return endProcess(code);
}

/** Nothing in a container can kill its first process; only an abort ends it from within. */
function die(): void {
  if (process.pid === 1) process.abort();
  process.kill(process.pid, 'SIGKILL');
}

function isOnThread(): boolean {
  return process.getActiveResourcesInfo().some((kind) => ON_A_THREAD.test(kind));
}
