import type { DestinationStream } from 'pino';
import type { Registry } from 'prom-client';
import type { Config } from '../service/config/config.ts';
import { createLog, createRepeatedWarning, type Log } from '../service/log.ts';
import { createRegistry } from '../service/metrics.ts';
import { createShutdown, type Shutdown } from '../service/shutdown.ts';
import { type About, createAbout } from './about.ts';
import { type Parts, partsOf } from './parts.ts';
import { type Catalogue, wireCatalogue } from './wire-catalogue.ts';

/** Shared by all parts of one process. */
export type Core = {
  config: Config;
  parts: Parts;
  log: Log;
  registry: Registry;
  shutdown: Shutdown;
  now: () => number;
  about: () => About;
  /** The catalogue of the shop. The first call begins to load it. */
  catalogue: () => Catalogue;
  /** A warning that may be frequent, logged once a minute for each `key`. */
  warn: (key: string, message: string, fields?: object) => void;
  /** Time limit for the current batch of a consumer at shutdown. */
  graceMs: number;
};

export function createCore(config: Config, destination?: DestinationStream): Core {
  const log = createLog(config.log.level, destination);
  const shutdown = createShutdown({ deadlineMs: config.shutdown_seconds * 1000, log });
  const registry = createRegistry();
  const warn = createRepeatedWarning(log);
  let catalogue: Catalogue | undefined;
  return {
    config,
    parts: partsOf(config),
    log,
    registry,
    shutdown,
    now: Date.now,
    about: createAbout(config.node, Date.now),
    catalogue() {
      catalogue ??= wireCatalogue({ config, log, registry, shutdown, now: Date.now, warn });
      return catalogue;
    },
    warn,
    graceMs: (config.shutdown_seconds * 1000) / 2,
  };
}

/** Warnings that carry the name of a part, where there are several parts of its kind: they are logged separately. */
export function warnAs(warn: Core['warn'], name: string): Core['warn'] {
  return (key, message, fields) => warn(`${name} ${key}`, `${name}: ${message}`, fields);
}
