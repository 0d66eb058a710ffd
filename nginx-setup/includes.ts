import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../service/config/config.ts';
import { PACKAGE_ROOT } from '../service/package-root.ts';
import { chooseBreaker, DEFAULT_BREAKER } from './breaker.ts';
import { addressProblem, pathProblem, renderTemplate, socketProblem } from './template.ts';

export type NginxEngine = 'njs' | 'qjs';

/** The settings of the includes of one nginx. */
export type IncludeSettings = {
  /** The sidecar's unix socket. */
  socket: string;
  /** The folder of the spill files. */
  spill: string;
  /** The folder of the hot list. Default `hot` beside the socket. */
  hot?: string;
  /** How much the spill folder may hold, in bytes. Default 1 GiB. */
  spillMaxBytes?: number;
  /** The loopback address of the breaker, where nginx itself answers views while the sidecar is unavailable. Default: see `chooseBreaker`. */
  breaker?: string;
  /** The engine that runs the script: `qjs` needs njs 1.0.1 built with QuickJS. Default njs. */
  engine?: NginxEngine;
  /** How many views of a worker may wait for the sidecar at once. Default 3. */
  maxConns?: number;
  /** How long a view waits, in milliseconds. Default 150. */
  timeoutMs?: number;
  /** How long a worker does not try the sidecar after a failure, in seconds. Default 30. */
  failTimeoutSeconds?: number;
  /** The size of the shared memory zone of batch, in megabytes. Default 16. */
  zoneMb?: number;
  /** The loopback address on which nginx listens for the keeper. Default 127.0.0.1:9188. */
  keeper?: string;
  /** Headers of a load balancer that the keeper sends; in no include, for the check alone. */
  keeperHeaders?: readonly string[];
  /** Where nginx stores pages of hot items: the common prefix of the names of two folders. Default /var/cache/hotitem. */
  cache?: string;
  /** The maximum age of a page that cannot be refreshed, in seconds. Default 10. */
  staleSeconds?: number;
  /** How many requests per minute limit.conf allows a visitor to a hot item. Default 60. */
  limitPerMinute?: number;
  /** Whether limit.conf only logs. Default true. */
  limitDryRun?: boolean;
  /** Whether log.conf sets a cache of open files. Default true. */
  logCache?: boolean;
};

const GIB = 1024 ** 3;
export const DEFAULT_KEEPER = '127.0.0.1:9188';
const DEFAULT_CACHE = '/var/cache/hotitem';

/** The file with the version and the checksum of each other file. */
export const VERSION_FILE = 'version.conf';
/** Files that the operator edits: never overwritten. */
export const OWN_FILES = ['items.conf', 'tracking.conf', 'cookies.conf'];
/**
 * All other files, each after the files that it includes: an upgrade writes them in this order, and nginx can start at any moment.
 * Only examples are included by a pattern.
 */
export const INCLUDE_FILES = [
  'engine-njs.conf',
  'engine-qjs.conf',
  'fetch-njs.conf',
  'fetch-qjs.conf',
  'line.conf',
  'log.conf',
  'off-hot.conf',
  'off-protect.conf',
  'off.conf',
  'off-batch.conf',
  'http.conf',
  'http-log.conf',
  'http-batch.conf',
  'http-hot.conf',
  'http-protect.conf',
  'log-cut.conf',
  'log-shared.conf',
  'log-limit.conf',
  'server.conf',
  'server-hot.conf',
  'server-protect.conf',
  'server-actions.conf',
  'capture-subrequest.conf',
  'capture-batch.conf',
  'capture-log.conf',
  'hot.conf',
  'cache.conf',
  'cache-fastcgi.conf',
  'limit.conf',
  'isolate.conf',
  'isolated.conf',
  'announce.conf',
  'announce-fastcgi.conf',
  'realip.conf.example',
  'privacy.conf.example',
];
export const SCRIPT_FILES = [
  'hotitem.njs.js',
  'hotitem.qjs.js',
  'hotitem-periodic.njs.js',
  'hotitem-periodic.qjs.js',
];

/** The settings of the includes in a configuration. */
export function includeSettings({
  intake,
  spill,
  heat,
  protect,
  nginx,
}: Pick<Config, 'intake' | 'spill' | 'heat' | 'protect' | 'nginx'>) {
  return {
    socket: intake.socket,
    spill: spill.dir,
    hot: heat.dir,
    spillMaxBytes: spill.max_bytes,
    ...(nginx.breaker !== undefined && { breaker: nginx.breaker }),
    engine: nginx.engine,
    maxConns: nginx.max_conns,
    timeoutMs: nginx.timeout_ms,
    failTimeoutSeconds: nginx.fail_timeout_seconds,
    zoneMb: nginx.zone_mb,
    logCache: nginx.log_cache === 'on',
    keeper: nginx.keeper,
    keeperHeaders: protect.headers,
    cache: nginx.cache_dir,
    staleSeconds: protect.stale_seconds,
    limitPerMinute: protect.limit_per_minute,
    limitDryRun: protect.limit_dry_run,
  } satisfies IncludeSettings;
}

/** Problems of these settings that nginx would misread. */
export function settingProblems(settings: IncludeSettings): (string | undefined)[] {
  const { socket, spill, breaker = DEFAULT_BREAKER, engine = 'njs' } = settings;
  return [
    socketProblem('socket', socket),
    pathProblem('spill', spill),
    settings.hot === undefined ? undefined : pathProblem('hot', settings.hot),
    addressProblem('breaker', breaker),
    keeperProblem(settings.keeper ?? DEFAULT_KEEPER),
    settings.cache === undefined ? undefined : pathProblem('cache_dir', settings.cache),
    engine === 'njs' || engine === 'qjs'
      ? undefined
      : `engine: must be njs or qjs (got ${JSON.stringify(engine)})`,
  ];
}

/** The keeper's listener must not be reachable from other hosts: requests to it may store pages. */
function keeperProblem(address: string): string | undefined {
  const isLoopback = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]):/.test(address);
  if (isLoopback) return addressProblem('keeper', address);
  return `keeper: must be 127.x.x.x:PORT or [::1]:PORT, which no other host can reach (got ${JSON.stringify(address)})`;
}

/** Renders an include as this version writes it to `dir`. */
export async function renderInclude(
  name: string,
  { dir, settings, version }: { dir: string; settings: IncludeSettings; version: string },
): Promise<string> {
  const { socket, spill, spillMaxBytes = GIB, engine = 'njs' } = settings;
  const { maxConns = 3, timeoutMs = 150, failTimeoutSeconds = 30, zoneMb = 16, logCache = true } = settings;
  const { keeper = DEFAULT_KEEPER } = settings;
  return renderTemplate(await nginxTemplate(name), {
    dir,
    socket,
    spill,
    hot: settings.hot ?? defaultHot(socket),
    breaker: chooseBreaker(dir, settings.breaker).address,
    engine,
    spillmax: String(spillMaxBytes),
    maxconns: String(maxConns),
    timeout: String(timeoutMs),
    failtimeout: String(failTimeoutSeconds),
    zone: String(zoneMb),
    logcache: logCache ? '' : undefined,
    listener: keeper,
    // As nginx formats it in $server_addr.
    keeper: keeper.replace(/[[\]]/g, ''),
    cache: settings.cache ?? DEFAULT_CACHE,
    stale: String(settings.staleSeconds ?? 10),
    limitrate: String(settings.limitPerMinute ?? 60),
    limitdryrun: (settings.limitDryRun ?? true) ? 'on' : 'off',
    release: version,
  });
}

/** The default folder of the hot list. */
export function defaultHot(socket: string): string {
  return join(dirname(socket), 'hot');
}

/** A template in `nginx/` of the package. */
export function nginxTemplate(name: string): Promise<string> {
  return readFile(join(PACKAGE_ROOT, 'nginx', name), 'utf8');
}
