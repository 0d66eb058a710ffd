import { type Finding, type Place, placeOf } from '../../service/finding.ts';
import { SIDECAR_HOST, UPSTREAM } from '../conf/include-table.ts';
import { guardedAddresses, isShared, sharedAddresses } from '../conf/shared-port.ts';
import { childOf, childrenOf, nameOf, type Site, type Spot } from '../conf/site.ts';
import type { Facts } from './facts.ts';
import { installAgain } from './mend.ts';

const LOOPBACK = /^(127(\.\d{1,3}){3}|localhost|\[::1\])(:|$)/;

export type Upstream = { spot: Spot; socket: string | undefined; breaker: string | undefined };

/** The sidecar's upstream in the configuration; undefined if there is none or capture is off. */
export function upstreamOf({ site }: Pick<Facts, 'site'>): Upstream | undefined {
  const spot = site.spots.find(
    ({ directive }) => directive.name === 'upstream' && directive.args[0] === UPSTREAM,
  );
  if (spot === undefined || site.ours.some(({ name }) => name === 'off.conf')) return undefined;
  const servers = [...childrenOf(spot.directive.block ?? [])].filter(({ name }) => name === 'server');
  const backup = servers.find(({ args }) => args.includes('backup'));
  const main = servers.find((server) => server !== backup)?.args[0];
  return {
    spot,
    socket: main?.startsWith('unix:') ? main.slice('unix:'.length) : undefined,
    breaker: backup?.args[0],
  };
}

/** Whether nginx and the sidecar use the same socket, and whether the circuit breaker works. */
export function upstreamFindings(facts: Facts): Finding[] {
  const upstream = upstreamOf(facts);
  if (upstream === undefined) return [];
  const { spot, socket, breaker } = upstream;
  const where = placeOf(spot.directive);
  const found: Finding[] = [];
  if (socket !== undefined && socket !== facts.sidecar.socket) {
    found.push({
      id: 'socket-differs',
      severity: 'error',
      what: `nginx posts to ${socket}, but the sidecar listens on ${facts.sidecar.socket}`,
      where,
      why: 'no view arrives by request: all are spilled',
      fix: "write the includes with the sidecar's configuration, or change intake.socket",
      ...installAgain(facts.site),
    });
  }
  if (breaker === undefined) {
    found.push({
      id: 'no-breaker',
      severity: 'error',
      what: `upstream ${UPSTREAM} has no backup`,
      where,
      why: 'nginx never marks its only server as down: if the sidecar hangs, each view waits for a timeout',
      fix: 'run hotitem nginx install, which writes it with the backup',
      ...installAgain(facts.site),
    });
    return found;
  }
  return [...found, ...breakerFindings(facts, breaker, where)];
}

function breakerFindings({ site }: Facts, breaker: string, where: Place): Finding[] {
  const found: Finding[] = [];
  const listeners = site.spots.filter(
    ({ directive, around }) =>
      directive.name === 'listen' &&
      around.at(-1)?.name === 'server' &&
      sameAddress(directive.args[0] ?? '', breaker),
  );
  if (!LOOPBACK.test(breaker)) {
    found.push({
      id: 'breaker-not-loopback',
      severity: 'warning',
      what: `the breaker's address ${breaker} is not on loopback`,
      where,
      why: 'other hosts can reach it, but only nginx itself should',
      fix: 'run hotitem nginx install --breaker 127.0.0.1:9189',
    });
  }
  // nginx prefers servers that listen on exactly this address to those on all addresses.
  const exact = listeners.filter(({ directive }) => directive.args[0] === breaker);
  const asked = exact.length > 0 ? exact : listeners;
  const answering = asked.find(isNamed) ?? asked.find(isDefault) ?? asked[0];
  const server = answering?.around.at(-1);
  if (server !== undefined && childOf(server, 'return')?.args[0] === '503')
    return [...found, ...ownPortFindings(site, breaker, where)];
  found.push({
    id: 'breaker-taken',
    severity: 'error',
    what:
      server === undefined
        ? `no server listens at the breaker's address ${breaker}`
        : `${nameOf(server)} answers at the breaker's address ${breaker}`,
    where: placeOf(answering?.directive ?? where),
    why: 'only a 503 makes nginx spill: with any other answer, or none, views are lost while the sidecar is down',
    fix:
      server === undefined
        ? 'run hotitem nginx install, which writes it'
        : 'set another address for one of the two (hotitem nginx install --breaker)',
    ...(server === undefined && installAgain(site)),
  });
  return found;
}

function ownPortFindings(site: Site, breaker: string, where: Place): Finding[] {
  const guarded = guardedAddresses(site);
  const [better] = [...sharedAddresses(site), ...guarded];
  if (better === undefined || isShared(site, breaker) || guarded.includes(breaker)) return [];
  return [
    {
      id: 'breaker-own-port',
      severity: 'warning',
      what: `the breaker has a port of its own, ${breaker}`,
      where,
      why: 'while another program uses that port, nginx, and so the shop, does not start',
      fix: `write the includes again, without nginx.breaker in hotitem.yml: it will be at ${better}, which no user of this host can take`,
      ...installAgain(site),
    },
  ];
}

function isNamed({ around }: Spot): boolean {
  return childOf(around.at(-1), 'server_name')?.args.includes(SIDECAR_HOST) ?? false;
}

function isDefault({ directive }: Spot): boolean {
  return directive.args.includes('default_server');
}

/** `9189` and `*:9189` are that port on all addresses. */
function sameAddress(listen: string, address: string): boolean {
  const port = address.slice(address.lastIndexOf(':') + 1);
  return [address, port, `*:${port}`, `0.0.0.0:${port}`].includes(listen);
}
