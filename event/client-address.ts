import { isIPv6 } from 'node:net';

const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const OCTETS = 4;
const MOST_OCTET = 255;
/** INET6_ADDRSTRLEN without its zero. */
const LONGEST = 45;

/** Whether bytes `at` to `until` are an address of IPv4 in its one spelling. */
export function isIPv4(bytes: Buffer, at: number, until: number): boolean {
  let octets = 1;
  let octet = -1;
  for (let i = at; i < until; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === DOT && octet >= 0) {
      octets++;
      octet = -1;
    } else if (byte >= ZERO && byte <= NINE && octet !== 0) {
      octet = Math.max(octet, 0) * 10 + byte - ZERO;
      if (octet > MOST_OCTET) return false;
    } else return false;
  }
  return octets === OCTETS && octet >= 0;
}

/** Whether they are what else nginx writes for a client: IPv6 without a zone, `unix:`, or nothing, where privacy.conf withholds it. */
export function isOtherClient(bytes: Buffer, at: number, until: number): boolean {
  if (until === at) return true;
  if (until - at > LONGEST) return false;
  const text = bytes.toString('latin1', at, until);
  return text === 'unix:' || (isIPv6(text) && !text.includes('%'));
}
