import { childrenOf, type Site, type Spot } from './site.ts';

/** A loopback address of nobody else: resolvers and containers have others of 127.0.0.0/8. */
const HOST = '127.0.91.89';

/**
 * Where the breaker needs no port of its own, the best first: a loopback address at a port at which a server of the shop listens on all
 * IPv4 addresses. nginx binds that port once, for all addresses, and tells connections to ours by where they arrived; requests to
 * any other address are still the shop's. So no other program can have the address while the shop's port is free.
 */
export function sharedAddresses({ spots }: Pick<Site, 'spots'>): string[] {
  const ports = spots.filter(isOfShop).flatMap(({ directive }) => wildcardPort(directive.args));
  return [...new Set(ports)].sort((a, b) => a - b).map((port) => `${HOST}:${port}`);
}

/** Whether the port of `address` is bound for the shop anyway. */
export function isShared(site: Pick<Site, 'spots'>, address: string): boolean {
  const port = Number(address.slice(address.lastIndexOf(':') + 1));
  return site.spots.some(
    (spot) => isOfShop(spot) && wildcardPort(spot.directive.args).includes(port) && !answers503(spot),
  );
}

function isOfShop({ directive, around }: Spot): boolean {
  return (
    directive.name === 'listen' &&
    around.at(-1)?.name === 'server' &&
    around.some(({ name }) => name === 'http')
  );
}

/** The breaker itself may be told to listen at a port alone. */
function answers503({ around }: Spot): boolean {
  return [...childrenOf(around.at(-1)?.block ?? [])].some(
    ({ name, args }) => name === 'return' && args[0] === '503',
  );
}

/** `80`, `*:80` and `0.0.0.0:80`, but over UDP. */
function wildcardPort([address = '', ...options]: string[]): number[] {
  const port = /^(?:(?:\*|0\.0\.0\.0):)?(\d+)$/.exec(address)?.[1];
  return port === undefined || options.includes('quic') ? [] : [Number(port)];
}
