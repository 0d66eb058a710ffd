import { setTimeout as sleep } from 'node:timers/promises';

/** Pending operations that end without help. */
const GRACE_MS = 500;
const LOOK_MS = 20;
/** Operations that Node runs in threads, and that the kernel may block: files, and DNS lookups. */
const ON_A_THREAD = /^(FSReq|GetAddrInfoReq|GetNameInfoReq)/;

/**
 * Ends this process, after its `exit` listeners. `process.exit` waits for Node's threads, and one that the kernel blocks (a hanging file
 * system, a pipe) would keep the process alive forever, despite signals: then it is killed. What is on disk is safe.
 */
export function endProcess(code: number): never {
  process.once('exit', () => {
    if (isOnThread()) die();
  });
  return process.exit(code);
}

/** The same, with half a second for pending operations, so that the exit status is `code` unless something hangs. */
export async function endProcessSoon(code: number): Promise<never> {
  const end = performance.now() + GRACE_MS;
  while (isOnThread() && performance.now() < end) await sleep(LOOK_MS);
  return endProcess(code);
}

/** In a container, the first process cannot be killed from within; only an abort ends it. */
function die(): void {
  if (process.pid === 1) process.abort();
  process.kill(process.pid, 'SIGKILL');
}

function isOnThread(): boolean {
  return process.getActiveResourcesInfo().some((kind) => ON_A_THREAD.test(kind));
}
