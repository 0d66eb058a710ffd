import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readConfiguration } from './conf/configuration.ts';
import { diskSource } from './conf/disk-source.ts';
import { guardedAddresses, sharedAddresses } from './conf/shared-port.ts';
import { createSite } from './conf/site.ts';

/** A port of its own, if the shop has none to share. */
export const DEFAULT_BREAKER = '127.0.0.1:9189';

export type Breaker = {
  address: string;
  /** For people: why this address, and whether another program can take it. */
  about: string;
};

/**
 * The address at which nginx itself answers views with 503 while the sidecar is unavailable, for the includes in `dir`. In this order:
 * `named` (from `nginx.breaker`); a port on which the shop listens anyway (`sharedAddresses`), found in the nginx.conf beside `dir`; a port
 * that only root can bind (`guardedAddresses`); a port of its own.
 */
export function chooseBreaker(dir: string, named?: string): Breaker {
  if (named !== undefined) return { address: named, about: 'as configured' };
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
