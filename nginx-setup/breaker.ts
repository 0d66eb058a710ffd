import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readConfiguration } from './conf/configuration.ts';
import { diskSource } from './conf/disk-source.ts';
import { guardedAddresses, sharedAddresses } from './conf/shared-port.ts';
import { createSite } from './conf/site.ts';

/** Where nothing else can be had: a port of its own. */
export const DEFAULT_BREAKER = '127.0.0.1:9189';

export type Breaker = {
  address: string;
  /** For people: whether another program can take it. */
  about: string;
};

/**
 * The address of the breaker's other side for includes in `dir`: `named`, by `nginx.breaker` say; else one at a port that the shop has
 * anyway (`sharedAddresses`), by the nginx.conf beside `dir`; else at one that only root can take (`guardedAddresses`); else a port of its
 * own.
 */
export function chooseBreaker(dir: string, named?: string): Breaker {
  if (named !== undefined) return { address: named, about: 'as told' };
  const conf = join(dirname(dir), 'nginx.conf');
  const site = existsSync(conf) ? createSite(readConfiguration(conf, diskSource)) : { spots: [] };
  const [shared] = sharedAddresses(site);
  if (shared !== undefined) return { address: shared, about: 'on a port of the shop' };
  const [guarded] = guardedAddresses(site);
  if (guarded !== undefined)
    return { address: guarded, about: 'at a port below 1024 of the shop, which only root could take there' };
  return {
    address: DEFAULT_BREAKER,
    about: `a port of its own, because ${conf} has no server that listens on all addresses or on a port below 1024. nginx does not start while another program uses this port (nginx.breaker)`,
  };
}
