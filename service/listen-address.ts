/** The parts of `HOST:PORT`; of `[::1]:9180` the host is `::1`. */
export function splitAddress(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(address.slice(colon + 1)) };
}

/** The URL for `HOST:PORT` on this machine: `http://127.0.0.1:9180`. */
export function toUrl(address: string): string {
  const { host, port } = splitAddress(address);
  return `http://${bracketed(LOOPBACKS.get(normalHost(host)) ?? host)}:${port}`;
}

/** As a browser writes it in `Host`: lower case, an IPv6 address in brackets and in its shortest form. */
export function normalHost(host: string): string {
  // Only addresses are normalised: anything else that is not a plain name is unchanged, and is rejected later.
  const url = `http://${bracketed(host)}`;
  return IPV6.test(host) && URL.canParse(url) ? new URL(url).hostname : host.toLowerCase();
}

/** Whether an address of a socket is of this host only. */
export function isLoopbackAddress(address: string): boolean {
  return /^(?:(?:::ffff:)?127\.|::1$)/.test(address);
}

const IPV6 = /^\[?[\da-f:.]*:[\da-f:.]*\]?$/i;
/** For wildcard addresses. */
const LOOPBACKS = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['[::]', '::1'],
]);

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
