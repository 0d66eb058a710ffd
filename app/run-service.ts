import { isatty } from 'node:tty';
import { endProcess, endProcessSoon } from '../service/end-process.ts';
import { createNotifier } from '../service/notify.ts';
import type { Core } from './core.ts';
import { fileFindings } from './rules/file-rules.ts';
import { stateFindings } from './rules/state-rules.ts';

/**
 * Starts a service, waits for SIGINT or SIGTERM, then stops everything in order and exits, with 0 if all parts stopped in time. A signal
 * during the start stops what has been started so far, and what is still starting. If the start fails, what was started is stopped and the
 * error is thrown. A second signal exits at once; what is on disk is safe.
 *
 * SIGHUP does the same at a terminal, where it means that the terminal is closed. Otherwise it is ignored: to a daemon it means "read your
 * settings again", and settings are read at the start only.
 *
 * Under systemd, reports when the service has started and when it stops.
 */
export async function runService(
  core: Pick<Core, 'config' | 'log' | 'shutdown'>,
  start: () => Promise<void>,
): Promise<number> {
  const { config, log, shutdown } = core;
  const systemd = createNotifier({ env: process.env, pid: process.pid, log });
  log.info({ file: config.source.file ?? 'none', home: config.home }, 'configuration');
  if (config.ignored.length > 0)
    log.info({ variables: config.ignored }, 'ignored: variables that Kubernetes sets for a Service');
  const findings = [...fileFindings(config.files, process.getuid?.() ?? 0), ...stateFindings(config)];
  for (const { what, fix, command } of findings) log.warn({ fix, command }, what);
  const signals = endingSignals();
  if (!signals.includes('SIGHUP'))
    process.on('SIGHUP', () =>
      log.warn('SIGHUP is ignored: settings are read at the start only, restart to apply a change'),
    );
  const signal = nextOf(signals);
  const starting = start();
  try {
    await Promise.race([starting.then(systemd.ready), signal]);
  } catch (error) {
    await shutdown.run();
    throw error;
  }
  log.info({ signal: await signal }, 'stopping');
  void systemd.stopping();
  void nextOf(signals).then(() => endProcess(1));
  const clean = await shutdown.run(starting);
  log.info({ clean }, 'stopped');
  // A client with a running timer must not keep the process alive.
  return endProcessSoon(clean ? 0 : 1);
}

function endingSignals(): NodeJS.Signals[] {
  const atTerminal = [0, 1, 2].some((fd) => isatty(fd));
  return atTerminal ? ['SIGINT', 'SIGTERM', 'SIGHUP'] : ['SIGINT', 'SIGTERM'];
}

function nextOf(signals: NodeJS.Signals[]): Promise<string> {
  return new Promise((resolve) => {
    for (const name of signals) process.once(name, resolve);
  });
}
