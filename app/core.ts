import type { DestinationStream } from 'pino';
import type { Registry } from 'prom-client';
import type { Config } from '../service/config/config.ts';
import { createLog, createRepeatedWarning, type Log } from '../service/log.ts';
import { createRegistry } from '../service/metrics.ts';
import { createShutdown, type Shutdown } from '../service/shutdown.ts';
import { type About, createAbout } from './about.ts';
import { type Parts, partsOf } from './parts.ts';

/** Shared by all parts of one process. */
export type Core = {
  config: Config;
  parts: Parts;
  log: Log;
  registry: Registry;
  shutdown: Shutdown;
  now: () => number;
  about: () => About;
  /** A warning that may be frequent, logged once a minute for each `key`. */
  warn: (key: string, message: string, fields?: object) => void;
  /** Time limit for the current batch of a consumer at shutdown. */
  graceMs: number;
};

export function createCore(config: Config, destination?: DestinationStream): Core {
  const log = createLog(config.log.level, destination);
  const shutdown = createShutdown({ deadlineMs: config.shutdown_seconds * 1000, log });
  return {
    config,
    parts: partsOf(config),
    log,
    registry: createRegistry(),
    shutdown,
    now: Date.now,
    about: createAbout(config.node, Date.now),
    warn: createRepeatedWarning(log),
    graceMs: (config.shutdown_seconds * 1000) / 2,
  };
}

/** Warnings of a part that has lines of its own beside another of its kind. */
export function warnAs(warn: Core['warn'], name: string): Core['warn'] {
  return (key, message, fields) => warn(`${name} ${key}`, `${name}: ${message}`, fields);
}
