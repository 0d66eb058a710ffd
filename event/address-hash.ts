import { unmappedAt } from './client-address.ts';
import { COLON, isDigit, ZERO } from './line-bytes.ts';
import { createSpanHash } from './span-hash.ts';

/** 32 scattered bits of the client's address in bytes `at` to `until`, in each process others. */
export type AddressHash = (bytes: Buffer, at: number, until: number) => number;

const GROUPS = 8;
/** Of the network: 64 bits. */
const NETWORK = 4;
/** How networks begin that hold addresses of IPv4: 64:ff9b::/96 (RFC 6052) and 64:ff9b:1::/48 (RFC 8215). */
const TRANSLATED = [0x64, 0xff9b] as const;
const A = 0x61;
const F = 0x66;
/** Turns a letter into its lower case. */
const LOWER_CASE = 0x20;

/**
 * Of an IPv6 address, only the first 64 bits count: a household or a phone has such a network to itself (RFC 7934). Otherwise one client that
 * uses another of its 2^64 addresses for each view would be as many visitors. An address of IPv4 that a translator made one of IPv6 counts as a
 * whole, because all of IPv4 may be in one network. What is not an address, for example a hashed one, is hashed as it is.
 */
export function createAddressHash(): AddressHash {
  const texts = createSpanHash();
  /** Always of the same buffer: `SpanHash` allocates when the buffer changes. */
  const networks = createSpanHash();
  const network = new Uint16Array(NETWORK);
  const networkBytes = Buffer.from(network.buffer);
  const groups = new Uint16Array(GROUPS);
  return (bytes, at, until) => {
    if (readNetwork(bytes, at, until) && !isTranslated()) {
      networks.hash(networkBytes, 0, networkBytes.length);
      return networks.bits(0);
    }
    texts.hash(bytes, Math.min(until, unmappedAt(bytes, at)), until);
    return texts.bits(0);
  };

  function isTranslated(): boolean {
    return network[0] === TRANSLATED[0] && network[1] === TRANSLATED[1];
  }

  /** False for anything but an IPv6 address without dots. */
  function readNetwork(bytes: Buffer, at: number, until: number): boolean {
    let [count, gap, value, digits] = [0, -1, 0, 0];
    for (let i = at; i < until; i++) {
      const byte = bytes[i] ?? 0;
      if (byte === COLON) {
        if (digits > 0) groups[count++] = value;
        else gap = count;
        if (count === NETWORK && gap === -1) break;
        value = 0;
        digits = 0;
        continue;
      }
      const digit = hexDigit(byte);
      if (digit === -1) return false;
      value = (value << 4) | digit;
      digits++;
    }
    if (count === 0 && gap === -1) return false;
    if (digits > 0 && count < GROUPS) groups[count++] = value;
    // A group beyond the gap was read that many places before its own; for a zero of the gap, that place is before the gap.
    const zeros = gap === -1 ? 0 : GROUPS - count;
    for (let i = 0; i < NETWORK; i++) {
      const from = gap === -1 || i < gap ? i : i - zeros;
      network[i] = from < gap && from !== i ? 0 : (groups[from] ?? 0);
    }
    return true;
  }
}

/** -1 for anything else. */
function hexDigit(byte: number): number {
  if (isDigit(byte)) return byte - ZERO;
  const letter = byte | LOWER_CASE;
  return letter >= A && letter <= F ? letter - A + 10 : -1;
}
