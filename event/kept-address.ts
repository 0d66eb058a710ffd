import { type AddressMaskOptions, createAddressMask } from './address-mask.ts';
import { unmapped } from './ipv4-mapped.ts';
import type { Line } from './line.ts';
import { COLON, DOT, ZERO } from './line-bytes.ts';
import { IP } from './line-fields.ts';

/**
 * What `privacy.ip` keeps of a line's address. For most addresses that is the beginning of its bytes: all of them, or the network, with
 * zeros after it. No text is created for these.
 */
export type KeptAddress = {
  isDropped: boolean;
  /** Zeros follow: an octet, or groups. */
  isCut: boolean;
  /** Where the beginning ends; -1 if `textOf` must be used. */
  spanUntil(line: Line): number;
  textOf(line: Line): string;
};

/** Keeps an IPv4 address in its second and third group. */
const SIX_TO_FOUR = Buffer.from('2002:');
const NETWORK_GROUPS = 3;
/** Letters from here on are lower case. */
const LOWER_CASE = 0x60;

/** Throws where addresses are to be hashed and there is no salt. */
export function createKeptAddress(options: AddressMaskOptions): KeptAddress {
  const mask = createAddressMask(options);
  return {
    isDropped: options.mode === 'drop',
    isCut: options.mode === 'truncate',
    spanUntil: { full: wholeUntil, truncate: networkUntil, hash: () => -1, drop: () => -1 }[options.mode],
    textOf: (line) =>
      mask(unmapped(line.lines().toString('latin1', line.begin[IP], line.end[IP])), line.time()) ?? '',
  };
}

/** -1 for an IPv6 address that may hold an IPv4 address in another spelling. */
function wholeUntil(line: Line): number {
  const first = line.lines()[line.begin[IP] ?? 0];
  return line.odd[IP] === 0 || (first !== COLON && first !== ZERO) ? (line.end[IP] ?? 0) : -1;
}

/** /24 of IPv4, /48 of IPv6. */
function networkUntil(line: Line): number {
  const lines = line.lines();
  const until = line.end[IP] ?? 0;
  if (line.odd[IP] !== 0) return groupsUntil(lines, line.begin[IP] ?? 0, until);
  let dot = until - 1;
  while (lines[dot] !== DOT) dot--;
  return dot + 1;
}

function groupsUntil(lines: Buffer, at: number, until: number): number {
  let groups = 0;
  let group = at;
  for (let i = at; i < until; i++) {
    const byte = lines[i] ?? 0;
    if (byte === COLON) {
      // The network may be spelled with other zeros.
      if (i === group || lines[group] === ZERO) return -1;
      if (++groups === NETWORK_GROUPS) return isSixToFour(lines, at) ? -1 : i;
      group = i + 1;
    } else if (byte > COLON && byte < LOWER_CASE) return -1;
  }
  return -1;
}

function isSixToFour(lines: Buffer, at: number): boolean {
  return SIX_TO_FOUR.every((byte, i) => lines[at + i] === byte);
}
