/** As nginx writes it. */
const MAPPED = '::ffff:';
/** As others may: any case, zeros written out, the address in hexadecimal groups. */
const OTHER_SPELLING =
  /^(?:::|0{1,4}:(?:0{1,4}:){4}|::(?:0{1,4}:){1,4})ffff:(?:([\d.]{7,15})|([0-9a-f]{1,4}):([0-9a-f]{1,4}))$/i;

/**
 * The IPv4 address in one that came in through an IPv6 socket (`::ffff:203.0.113.7`, RFC 4291, 2.5.5.2): it is the same
 * client. Any other address unchanged. `ip` is an address.
 */
export function unmapped(ip: string): string {
  if (!ip.includes(':')) return ip;
  if (ip.startsWith(MAPPED) && !ip.includes(':', MAPPED.length)) return ip.slice(MAPPED.length);
  const [, dotted, high, low] = OTHER_SPELLING.exec(ip) ?? [];
  if (dotted !== undefined) return dotted;
  if (high === undefined || low === undefined) return ip;
  const bits = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return bits.flatMap((group) => [group >> 8, group & 255]).join('.');
}
