import { childrenOf, type Site, type Spot } from './site.ts';

/** A loopback address that nothing else uses; resolvers and containers use other addresses of 127.0.0.0/8. */
const HOST = '127.0.91.89';
const FIRST_OF_ANYBODY = 1024;
const HTTP_PORT = 80;

/**
 * Addresses at which the breaker needs no port of its own, best first: a loopback address with a port on which a server of the shop
 * listens on all IPv4 addresses. nginx binds that port once, for all addresses, and tells the breaker's connections by their destination
 * address; requests to any other address still go to the shop. No other program can take the address without taking the shop's port.
 */
export function sharedAddresses({ spots }: Pick<Site, 'spots'>): string[] {
  const ports = spots.filter(isOfShop).flatMap(({ directive }) => wildcardPort(directive.args));
  return [...new Set(ports)].sort((a, b) => a - b).map((port) => `${HOST}:${port}`);
}

/**
 * Addresses whose port only root could take: a port below 1024 on which a server of the shop listens on named addresses. No program can
 * listen on all addresses of that port beside the shop, so it would have to bind exactly this address.
 */
export function guardedAddresses({ spots }: Pick<Site, 'spots'>): string[] {
  const listens = spots.filter(isOfShop).map(({ directive }) => directive.args);
  const barred = listens.flatMap(dualStackPort);
  const ports = listens
    .flatMap(namedPort)
    .filter((port) => port < FIRST_OF_ANYBODY && port > 0 && !barred.includes(port));
  return [...new Set(ports)].sort((a, b) => a - b).map((port) => `${HOST}:${port}`);
}

/** Whether the shop binds the port of `address` anyway. */
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

/** The breaker's own `listen` may name only a port. */
function answers503({ around }: Spot): boolean {
  return [...childrenOf(around.at(-1)?.block ?? [])].some(
    ({ name, args }) => name === 'return' && args[0] === '503',
  );
}

/** Matches `80`, `*:80` and `0.0.0.0:80`, except over UDP. */
function wildcardPort([address = '', ...options]: string[]): number[] {
  const port = /^(?:(?:\*|0\.0\.0\.0):)?(\d+)$/.exec(address)?.[1];
  return port === undefined || options.includes('quic') ? [] : [Number(port)];
}

/** Matches `203.0.113.1:80`, `203.0.113.1`, `[2001:db8::1]:80`, `shop.example:80`. */
function namedPort([address = '', ...options]: string[]): number[] {
  const [, host, port = HTTP_PORT] = /^(\[[^\]]+\]|[\w-]*[a-z.][\w.-]*)(?::(\d+))?$/i.exec(address) ?? [];
  const isNone = host === undefined || host === '0.0.0.0' || options.includes('quic');
  return isNone || address.startsWith('unix:') ? [] : [Number(port)];
}

/** `[::]:80 ipv6only=off` also binds the port on all IPv4 addresses, so none of them is available. */
function dualStackPort([address = '', ...options]: string[]): number[] {
  const [, port = HTTP_PORT] = /^\[::\](?::(\d+))?$/.exec(address) ?? [];
  return address.startsWith('[::]') && options.includes('ipv6only=off') ? [Number(port)] : [];
}
