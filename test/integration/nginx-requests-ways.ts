import { compareVersions } from '../../nginx-setup/program/version.ts';
import { NGINX, type Suite } from '../../provision/versions.ts';
import { FULL } from '../parts/full.ts';

/** One way from a location to the sidecar, as an operator includes it. */
export type Transport = {
  name: string;
  /** What goes into the http block. */
  http: string[];
  /** What goes into each server block. */
  server: string[];
  /** What goes into each location that captures. */
  location: string;
  /** The oldest njs that has what it needs. */
  njs: string;
  /**
   * Whether a view is captured, come what may, once its location has been reached. When nginx terminates the page's
   * request (the client is gone, or the answer is a 412 of its own), a detached subrequest that is not over ends with it.
   */
  surely: boolean;
};

/** One nginx, one engine of its njs, one transport. */
export type Way = { suite: Suite; engine: 'njs' | 'qjs'; transport: Transport };

/** Another transport is another line. */
const TRANSPORTS: Transport[] = [
  {
    name: 'subrequest',
    http: ['http.conf'],
    server: ['server.conf'],
    location: 'capture-subrequest.conf',
    njs: '0.7.9',
    surely: false,
  },
  {
    name: 'batch',
    http: ['http.conf', 'http-batch.conf'],
    server: ['server.conf'],
    location: 'capture-batch.conf',
    njs: '0.8.1',
    surely: true,
  },
  {
    name: 'log',
    http: ['http-log.conf'],
    server: [],
    location: 'capture-log.conf',
    njs: '0',
    surely: true,
  },
];

const ENGINES: Pick<Way, 'suite' | 'engine'>[] = [
  { suite: 'trixie', engine: 'njs' },
  { suite: 'bookworm', engine: 'njs' },
  { suite: 'sid', engine: 'njs' },
  { suite: 'sid', engine: 'qjs' },
];

/**
 * Each transport on each nginx whose njs has what it needs. By `npm test` the newest one's njs engine tries the
 * transport batch only: its own QuickJS engine takes all, and the njs engine all on the nginx before.
 */
export const WAYS: Way[] = ENGINES.flatMap((engine) =>
  TRANSPORTS.filter(({ njs, name }) => has(engine.suite, njs) && (FULL || isNeeded(engine, name))).map(
    (transport) => ({ ...engine, transport }),
  ),
);

function isNeeded({ suite, engine }: Pick<Way, 'suite' | 'engine'>, transport: string): boolean {
  return suite !== 'sid' || engine !== 'njs' || transport === 'batch';
}

/** For the name of a suite. */
export function nameOf({ suite, engine, transport }: Way): string {
  return `${transport.name} on nginx of ${suite} with ${engine}`;
}

/** All that a way tries by `npm test` too; the others try a few there, and all in a full run. A log has no part in a request. */
export function triesAll({ suite, transport }: Way): boolean {
  return FULL || (suite === 'trixie' && transport.name !== 'log');
}

/** sid holds the newest. */
function has(suite: Suite, njs: string): boolean {
  const version = NGINX[suite]?.njs;
  return version === undefined || compareVersions(version, njs) >= 0;
}
