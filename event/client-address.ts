import { COLON, DOT, isDigit, ZERO } from './line-bytes.ts';

/** How nginx writes the beginning of an IPv4 address that came in through an IPv6 socket. */
const MAPPED = Buffer.from('::ffff:');
const UNIX = Buffer.from('unix:');
const OCTETS = 4;
const MOST_OCTET = 255;
const GROUPS = 8;
const GROUP_DIGITS = 4;
const A = 0x61;
const F = 0x66;
/** Turns a letter into its lower case. */
const LOWER_CASE = 0x20;

/** Whether bytes `at` to `until` are an address of IPv4 in its one spelling. */
export function isIPv4(bytes: Buffer, at: number, until: number): boolean {
  let octets = 1;
  let octet = -1;
  for (let i = at; i < until; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === DOT && octet >= 0) {
      octets++;
      octet = -1;
    } else if (isDigit(byte) && octet !== 0) {
      octet = Math.max(octet, 0) * 10 + byte - ZERO;
      if (octet > MOST_OCTET) return false;
    } else return false;
  }
  return octets === OCTETS && octet >= 0;
}

/** Whether they are what else nginx writes for a client: IPv6 without a zone, `unix:`, or nothing, where privacy.conf withholds it. */
export function isOtherClient(bytes: Buffer, at: number, until: number): boolean {
  if (until === at) return true;
  return isIPv6(bytes, at, until) || (until - at === UNIX.length && startsWith(bytes, at, UNIX));
}

/** Where the IPv4 address begins in one that is mapped into IPv6; `at` for any other. */
export function unmappedAt(bytes: Buffer, at: number): number {
  return bytes[at] === COLON && startsWith(bytes, at, MAPPED) ? at + MAPPED.length : at;
}

/** As node's `isIPv6` of the text, without a zone. */
function isIPv6(bytes: Buffer, at: number, until: number): boolean {
  const hasGapFirst = bytes[at] === COLON && bytes[at + 1] === COLON && at + 2 <= until;
  let gaps = hasGapFirst ? 1 : 0;
  let groups = 0;
  for (let i = hasGapFirst ? at + 2 : at; i < until; ) {
    const group = i;
    while (i < until && isHexDigit(bytes[i] ?? 0)) i++;
    if (i < until && bytes[i] === DOT) return isIPv4(bytes, group, until) && fits(groups + 2, gaps);
    if (i === group || i - group > GROUP_DIGITS) return false;
    groups++;
    if (i === until) break;
    if (bytes[i++] !== COLON || i === until) return false;
    if (bytes[i] !== COLON) continue;
    gaps++;
    i++;
  }
  return fits(groups, gaps);
}

/** A gap stands for one group or more. */
function fits(groups: number, gaps: number): boolean {
  return gaps === 0 ? groups === GROUPS : gaps === 1 && groups < GROUPS;
}

function isHexDigit(byte: number): boolean {
  const letter = byte | LOWER_CASE;
  return isDigit(byte) || (letter >= A && letter <= F);
}

function startsWith(bytes: Buffer, at: number, beginning: Buffer): boolean {
  for (let i = 0; i < beginning.length; i++) if (bytes[at + i] !== beginning[i]) return false;
  return true;
}
