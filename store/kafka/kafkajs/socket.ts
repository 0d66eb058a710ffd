import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

const KEEP_ALIVE_MS = 60_000;
const IPV6_NAME = '.ipv6-literal';

/**
 * Creates the sockets of kafkajs as kafkajs does, but without Nagle's algorithm, which holds back the end of a request that is longer than
 * a packet until the broker has acknowledged its beginning, which the broker delays by 40 ms.
 */
export const createSocket: ISocketFactory = ({ host: name, port, ssl, onConnect }) => {
  const host = toAddress(name);
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...ssl }, onConnect)
    : connect({ host, port }, onConnect);
  return socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
};

/** kafkajs splits `[::1]:9092` at its first colon, so it gets a name without colons, which `createSocket` translates back. */
export function withoutColons(broker: string): string {
  const [, address, port] = /^\[(.+)\]:(\d+)$/.exec(broker) ?? [];
  return address === undefined ? broker : `${address.replaceAll(':', '-')}${IPV6_NAME}:${port}`;
}

function toAddress(host: string): string {
  return host.endsWith(IPV6_NAME) ? host.slice(0, -IPV6_NAME.length).replaceAll('-', ':') : host;
}
