import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

const KEEP_ALIVE_MS = 60_000;
const IPV6_NAME = '.ipv6-literal';

/**
 * The sockets of kafkajs as it makes them itself, but without Nagle's algorithm: it holds back the end of a request that
 * is longer than a packet until the broker has acknowledged the beginning, which the broker delays by 40 ms.
 */
export const createSocket: ISocketFactory = ({ host: name, port, ssl, onConnect }) => {
  const host = toAddress(name);
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...ssl }, onConnect)
    : connect({ host, port }, onConnect);
  return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
};

/** kafkajs splits `[::1]:9092` at its first colon: it is told a name without colons, which means the address to `createSocket`. */
export function withoutColons(broker: string): string {
  const [, address, port] = /^\[(.+)\]:(\d+)$/.exec(broker) ?? [];
  return address === undefined ? broker : `${address.replaceAll(':', '-')}${IPV6_NAME}:${port}`;
}

function toAddress(host: string): string {
  return host.endsWith(IPV6_NAME) ? host.slice(0, -IPV6_NAME.length).replaceAll('-', ':') : host;
}
