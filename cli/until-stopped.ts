import type { Core } from './core.ts';

/**
 * Waits for SIGINT or SIGTERM, then stops everything in order. Returns the exit status: 0 when all ended in time. A
 * second signal ends the process at once; what is on disk is safe.
 */
export async function untilStopped({ log, shutdown }: Pick<Core, 'log' | 'shutdown'>): Promise<number> {
  const signal = await nextSignal();
  log.info({ signal }, 'stopping');
  const impatient = nextSignal().then(() => process.exit(1));
  const clean = await Promise.race([shutdown.run(), impatient]);
  log.info({ clean }, 'stopped');
  // A client that never lets go of its timers must not keep the process.
  return process.exit(clean ? 0 : 1);
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, resolve);
  });
}
