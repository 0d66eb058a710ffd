import { childrenOf, type Site, type Spot } from './site.ts';

/** A loopback address that nothing else uses: resolvers and containers use others of 127.0.0.0/8. */
const HOST = '127.0.91.89';
const FIRST_OF_ANYBODY = 1024;
const HTTP_PORT = 80;

/**
 * Where the breaker needs no port of its own, the best first: a loopback address at a port at which a server of the shop listens on all
 * IPv4 addresses. nginx binds that port once, for all addresses, and tells connections to ours by where they arrived; requests to
 * any other address are still the shop's. So no other program can have the address while the shop's port is free.
 */
export function sharedAddresses({ spots }: Pick<Site, 'spots'>): string[] {
  const ports = spots.filter(isOfShop).flatMap(({ directive }) => wildcardPort(directive.args));
  return [...new Set(ports)].sort((a, b) => a - b).map((port) => `${HOST}:${port}`);
}

/**
 * Where only root could take the breaker's port: at a port below 1024 at which a server of the shop listens on addresses that it names.
 * As no program can listen there on all addresses beside it, one would have to want this very address.
 */
export function guardedAddresses({ spots }: Pick<Site, 'spots'>): string[] {
  const listens = spots.filter(isOfShop).map(({ directive }) => directive.args);
  const barred = listens.flatMap(dualStackPort);
  const ports = listens
    .flatMap(namedPort)
    .filter((port) => port < FIRST_OF_ANYBODY && port > 0 && !barred.includes(port));
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

/** `203.0.113.1:80`, `203.0.113.1`, `[2001:db8::1]:80`, `shop.example:80`. */
function namedPort([address = '', ...options]: string[]): number[] {
  const [, host, port = HTTP_PORT] = /^(\[[^\]]+\]|[\w-]*[a-z.][\w.-]*)(?::(\d+))?$/i.exec(address) ?? [];
  const isNone = host === undefined || host === '0.0.0.0' || options.includes('quic');
  return isNone || address.startsWith('unix:') ? [] : [Number(port)];
}

/** `[::]:80 ipv6only=off` has the port on all IPv4 addresses too, and lets nobody have one of them. */
function dualStackPort([address = '', ...options]: string[]): number[] {
  const [, port = HTTP_PORT] = /^\[::\](?::(\d+))?$/.exec(address) ?? [];
  return address.startsWith('[::]') && options.includes('ipv6only=off') ? [Number(port)] : [];
}
