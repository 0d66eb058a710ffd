import { type Finding, placeOf } from '../../service/finding.ts';
import type { Directive } from '../conf/directives.ts';
import { EVENTS_ZONE, LINE_FORMAT, LINE_VARIABLE, SHARED_FORMAT } from '../conf/include-table.ts';
import { blockAround, childrenOf, inherited, nameOf, type Site, type Spot } from '../conf/site.ts';
import type { Capture } from './captures.ts';
import type { Facts } from './facts.ts';

/** What is wrong with the lines that nginx itself writes (spill and the transport log), and with its shared memory zones. */
export function logFindings({ site, captures }: Facts): Finding[] {
  const formats = lineFormats(site);
  const lines = site.spots.filter(({ directive }) => writesLine(directive, formats));
  const shared = site.spots.filter(({ directive }) => writesLine(directive, new Set([SHARED_FORMAT])));
  return [
    ...lines.flatMap(lossy),
    ...[...lines, ...shared].flatMap(uncached),
    ...captures
      .filter(({ transport }) => transport === 'log')
      .flatMap((capture) => unlogged(capture, site, formats)),
    ...zones(site),
    ...shutdown(site),
    ...trust(site),
  ];
}

/** Whether the format of an access_log contains our line. That of log-cut.conf does not: it writes almost nothing. */
export function writesLine({ name, args }: Directive, formats: Set<string>): boolean {
  return name === 'access_log' && formats.has(args[1] ?? '') && !args.includes('if=$hotitem_cut');
}

/** The names of the formats that contain our line. */
export function lineFormats({ spots }: Site): Set<string> {
  const named = spots.filter(
    ({ directive }) =>
      directive.name === 'log_format' && directive.args.slice(1).some((arg) => arg.includes(LINE_VARIABLE)),
  );
  return new Set([LINE_FORMAT, ...named.map(({ directive }) => directive.args[0] ?? '')]);
}

function lossy(spot: Spot): Finding[] {
  const { directive } = spot;
  const [target = '', , ...options] = directive.args;
  const where = placeOf(directive);
  const found: Finding[] = [];
  if (target.startsWith('syslog:')) {
    found.push({
      id: 'line-to-syslog',
      severity: 'error',
      what: "hotitem's line is sent to syslog",
      where,
      why: 'nginx silently drops what syslog does not accept at once: 5 to 16 % under load',
      fix: 'write it to a file in the spill folder, as log.conf does',
    });
  }
  const buffered = options.find((option) => /^(buffer=|gzip|flush=)/.test(option));
  if (target.includes('$') && buffered !== undefined) {
    found.push({
      id: 'line-buffered',
      severity: 'error',
      what: `${buffered} on a log with a variable in its name`,
      where,
      why: 'nginx does not start with it, and a killed worker loses what is in the buffer',
      fix: `remove ${buffered}: writing a line per view costs nothing measurable`,
    });
  }
  return found;
}

function uncached(spot: Spot): Finding[] {
  const { directive } = spot;
  const cache = inherited(spot, 'open_log_file_cache');
  if (!directive.args[0]?.includes('$') || (cache !== undefined && cache.args[0] !== 'off')) return [];
  return [
    {
      id: 'log-cache-off',
      severity: 'warning',
      what: "open_log_file_cache is off for the log of hotitem's line",
      where: placeOf(cache ?? directive),
      why: 'nginx opens and closes the file for each view',
      fix: 'set open_log_file_cache max=64 inactive=60s valid=10s; beside the access_log',
    },
  ];
}

/**
 * The transport log writes in the location in which a view ends, and nginx uses the access_log lines of one level only. With a
 * redirect that is another location of the server, and it is unknown which.
 */
function unlogged(capture: Capture, site: Site, formats: Set<string>): Finding[] {
  const { spot, block, location, how } = capture;
  const server = blockAround(spot, 'server');
  const level = levelOf(how === 'redirect' ? spot.around.filter((one) => one !== block) : spot.around);
  const silent =
    level === undefined || !isLogged(level, formats) ? [{ level, severity: 'error' as const }] : [];
  const elsewhere = how === 'in place' ? [] : site.spots.filter(isElsewhere);
  const ends = elsewhere.map(({ directive }) => ({ level: directive, severity: 'warning' as const }));
  return [...silent, ...ends].map(({ level, severity }) => ({
    id: 'line-not-logged',
    severity,
    what:
      severity === 'error'
        ? `${location} captures by log, but no access_log writes its lines`
        : `views of ${location} that end in ${nameOf(level)} are not logged`,
    where: placeOf((level && (logsOf(level).find(isOff) ?? logsOf(level)[0])) ?? block ?? spot.directive),
    why:
      level === undefined
        ? 'log.conf is not included'
        : `nginx uses the access_log lines of one level only, here of ${nameOf(level)}, and "off" among them disables all`,
    fix: 'include log.conf beside them, and in place of access_log off',
  }));

  function isElsewhere({ directive, around }: Spot): boolean {
    const inServer = directive.name === 'location' && server !== undefined && around.includes(server);
    // Our internal locations serve no page.
    if (!inServer || directive === block || directive.args.some((arg) => arg.includes('hotitem')))
      return false;
    return logsOf(directive).length > 0 && !isLogged(directive, formats);
  }
}

/** The innermost of these blocks that has access_log lines. */
function levelOf(blocks: Directive[]): Directive | undefined {
  return blocks.findLast((block) => logsOf(block).length > 0);
}

function isLogged(block: Directive, formats: Set<string>): boolean {
  const logs = logsOf(block);
  return logs.some((log) => writesLine(log, formats)) && !logs.some(isOff);
}

function isOff({ args }: Directive): boolean {
  return args[0] === 'off';
}

function logsOf(block: Directive): Directive[] {
  return [...childrenOf(block.block ?? [])].filter(({ name }) => name === 'access_log');
}

function zones({ spots }: Site): Finding[] {
  return spots.flatMap(({ directive }): Finding[] => {
    const { name, args } = directive;
    const bad = args.find((arg) => /^(timeout=|evict$)/.test(arg));
    if (name !== 'js_shared_dict_zone' || bad === undefined) return [];
    if (!args.some((arg) => arg.startsWith(`zone=${EVENTS_ZONE}:`))) return [];
    return [
      {
        id: 'events-zone-timeout',
        severity: 'error',
        what: `the zone ${EVENTS_ZONE} has ${bad}`,
        where: placeOf(directive),
        why: 'views in it would expire before they are sent, and below njs 1.0.1 memory may be corrupted',
        fix: `remove ${bad}, then restart nginx: a reload cannot change a zone's options`,
      },
    ];
  });
}

const SHORTEST_SHUTDOWN_MS = 2_000;
const UNITS_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, '': 1_000 };

function shutdown({ spots }: Site): Finding[] {
  const found = spots.find(({ directive }) => directive.name === 'worker_shutdown_timeout')?.directive;
  const [, number, unit = ''] = /^(\d+)([a-z]*)$/.exec(found?.args[0] ?? '') ?? [];
  if (found === undefined || Number(number) * (UNITS_MS[unit] ?? Number.NaN) >= SHORTEST_SHUTDOWN_MS)
    return [];
  if (number === undefined || UNITS_MS[unit] === undefined) return [];
  return [
    {
      id: 'shutdown-too-short',
      severity: 'warning',
      what: `worker_shutdown_timeout is ${found.args[0]}`,
      where: placeOf(found),
      why: 'on a reload, old workers are killed while they have views in flight',
      fix: `${SHORTEST_SHUTDOWN_MS / 1000}s or more`,
    },
  ];
}

function trust({ spots }: Site): Finding[] {
  const found = spots.find(
    ({ directive: { name, args } }) =>
      name === 'set_real_ip_from' && /^(0\.0\.0\.0|::)\/0$/.test(args[0] ?? ''),
  );
  if (found === undefined) return [];
  return [
    {
      id: 'trusts-everybody',
      severity: 'warning',
      what: `set_real_ip_from ${found.directive.args[0]} trusts every client`,
      where: placeOf(found.directive),
      why: 'any client can choose its own address, also in events',
      fix: 'list the addresses of your load balancers only (realip.conf.example)',
    },
  ];
}
