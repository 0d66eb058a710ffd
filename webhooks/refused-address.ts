import type { LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { isLoopbackAddress } from '../service/listen-address.ts';

/*
 * A name can point anywhere, and point elsewhere the next time. So addresses are checked after the name was resolved, and the one that was checked
 * is connected to. Those of a cloud's metadata service give credentials to whoever asks from this host.
 */

const REFUSED = new BlockList();
/** Link-local, and with it the metadata services of AWS, Azure, Google, DigitalOcean, OpenStack, Oracle. */
REFUSED.addSubnet('169.254.0.0', 16, 'ipv4');
REFUSED.addSubnet('fe80::', 10, 'ipv6');
/** Metadata services elsewhere: AWS over IPv6, Google over IPv6, Alibaba, Oracle, Azure's host. */
REFUSED.addAddress('fd00:ec2::254', 'ipv6');
REFUSED.addAddress('fd20:ce::254', 'ipv6');
REFUSED.addAddress('100.100.100.200', 'ipv4');
REFUSED.addAddress('192.0.0.192', 'ipv4');
REFUSED.addAddress('168.63.129.16', 'ipv4');
/** This host by another name, everybody, and what is not assigned. */
REFUSED.addSubnet('0.0.0.0', 8, 'ipv4');
REFUSED.addAddress('::', 'ipv6');
REFUSED.addSubnet('224.0.0.0', 3, 'ipv4');
REFUSED.addSubnet('ff00::', 8, 'ipv6');
/** IPv4 link-local inside IPv6: compatible, NAT64, 6to4. Mapped ones are recognised as IPv4. */
REFUSED.addSubnet('::a9fe:0', 112, 'ipv6');
REFUSED.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6');
REFUSED.addSubnet('2002:a9fe::', 32, 'ipv6');

/** Why nothing is posted to that address; undefined if it may be. `isLocal`: only this host may be. */
export function whyRefused(address: string, isLocal: boolean): string | undefined {
  // An address with a zone is link-local.
  const [plain = ''] = address.split('%', 1);
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
  if (REFUSED.check(plain, family))
    return `${plain} is not allowed: link-local, of a metadata service, or of no host`;
  if (isLocal && !isLoopbackAddress(plain)) return `${plain} is not this host, so https is needed`;
  return undefined;
}

/** Resolves names for a connection, and refuses if any of its addresses is refused. */
export function createLookup(isLocal: boolean, resolve: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const problem = error ?? problemOf(addresses, isLocal);
      const [first] = addresses ?? [];
      if (problem !== undefined && problem !== null) callback(problem, [], 0);
      else if (options.all) callback(null, addresses);
      else callback(null, first?.address ?? '', first?.family);
    });
  };
}

function problemOf(addresses: LookupAddress[], isLocal: boolean): Error | undefined {
  for (const { address } of addresses) {
    const why = whyRefused(address, isLocal);
    if (why !== undefined) return new Error(why);
  }
  return undefined;
}
