import { endProcess, endProcessSoon } from '../service/end-process.ts';
import { fileFindings } from './check/file-rules.ts';
import type { Core } from './core.ts';

/**
 * Starts a service and waits for SIGINT, SIGTERM or SIGHUP, then stops everything in order and ends the process: with 0
 * when all ended in time. A signal during the start stops what has started by then, and what starts in spite of it; a start that fails stops what
 * has started, and its error is thrown. A second signal ends the process at once; what is on disk is safe.
 */
export async function runService(
  core: Pick<Core, 'config' | 'log' | 'shutdown'>,
  start: () => Promise<void>,
): Promise<number> {
  const { config, log, shutdown } = core;
  if (config.ignored.length > 0)
    log.info({ variables: config.ignored }, 'ignored: variables that Kubernetes sets for a Service');
  for (const { what, fix, command } of fileFindings(config.files, process.getuid?.() ?? 0))
    log.warn({ fix, command }, what);
  const signal = nextSignal();
  const starting = start();
  try {
    await Promise.race([starting, signal]);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
  log.info({ signal: await signal }, 'stopping');
  void nextSignal().then(() => endProcess(1));
  const clean = await shutdown.run(starting);
  log.info({ clean }, 'stopped');
  // A client that never lets go of its timers must not keep the process.
  return endProcessSoon(clean ? 0 : 1);
}

function nextSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, resolve);
  });
}
