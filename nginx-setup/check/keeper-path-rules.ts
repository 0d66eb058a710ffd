import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Finding, placeOf } from '../../service/finding.ts';
import { childrenNamed } from '../conf/site.ts';
import { DEFAULT_KEEPER } from '../includes.ts';
import type { Facts } from './facts.ts';

const PATIENCE_MS = 2_000;
const MOST_ADDRESSES = 8;
const LOOK = 'server-protect.conf';

/** Connects to the keeper's port as others would, by each address of this host. Silent where the shop itself listens on that port. */
export async function keeperPathFindings(
  { site, sidecar }: Facts,
  addresses: string[] = outsideAddresses(),
): Promise<Finding[]> {
  const look = site.ours.find(({ name }) => name === LOOK);
  if (look === undefined) return [];
  const keeper = sidecar.keeper ?? DEFAULT_KEEPER;
  const port = keeper.slice(keeper.lastIndexOf(':') + 1);
  const listens = site.spots.flatMap(({ directive }) =>
    directive.name === 'server' ? childrenNamed(directive, 'listen') : [],
  );
  const isShops = listens.some(({ args: [at = ''] }) => isOutside(at) && portOf(at) === port);
  if (isShops) return [];
  const answers = await Promise.all(addresses.map((address) => isHeard(address, Number(port))));
  const reached = addresses.filter((_, i) => answers[i]);
  return reached.map((address) => ({
    id: 'keeper-reached',
    severity: 'warning',
    what: `something answers at port ${port} of ${address}, too`,
    where: placeOf(look.directive),
    why: `if it passes requests on to ${keeper}, others come to the keeper's listener; only the secret word keeps them from having pages stored`,
    fix: `find it (ss -ltnp 'sport = :${port}') and end it, or set nginx.keeper to a free port`,
  }));
}

function outsideAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
    .map(({ address }) => address)
    .slice(0, MOST_ADDRESSES);
}

function isOutside(listen: string): boolean {
  return !/^(?:127\.|\[::1\]|localhost\b|unix:)/.test(listen);
}

/** `listen 80`, `listen *:80`, `listen [::]:80`, `listen 192.0.2.1`. */
function portOf(listen: string): string {
  if (/^\d+$/.test(listen)) return listen;
  return /:(\d+)$/.exec(listen)?.[1] ?? '80';
}

function isHeard(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PATIENCE_MS });
    const answer = (heard: boolean) => {
      socket.destroy();
      resolve(heard);
    };
    socket.once('connect', () => answer(true));
    socket.once('timeout', () => answer(false));
    socket.once('error', () => answer(false));
  });
}
