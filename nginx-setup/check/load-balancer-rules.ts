import { type Finding, placeOf } from '../../service/finding.ts';
import {
  blockAround,
  childrenNamed,
  inherited,
  type OurInclude,
  type Site,
  type Spot,
} from '../conf/site.ts';
import type { Facts } from './facts.ts';

/** What a load balancer says of how the client came. */
const FORWARDED =
  /\$http_(?:x_forwarded_(?!for\b)|x_scheme|x_url_scheme|front_end_https|cloudfront_forwarded|cf_visitor)/;

/** A load balancer in front of nginx, of which the keeper does not know. `headers`: those that the keeper sends. */
export function behind({ spots }: Site, headers: readonly string[]): Finding[] {
  const sign = spots.find(
    (spot) =>
      (spot.directive.name === 'real_ip_header' && spot.directive.args[0] !== 'proxy_protocol') ||
      usesForwarded(spot),
  );
  if (sign === undefined || headers.length > 0) return [];
  const { directive } = sign;
  return [
    {
      id: 'keeper-behind',
      severity: 'warning',
      what: `shoppers come by a load balancer (${directive.name} ${directive.args.join(' ')}), and the sidecar does not send its headers`,
      where: placeOf(directive),
      why: 'a cached page is shown only to requests with the same X-Forwarded-Proto and similar headers as those of the sidecar: to none at present',
      fix: 'list the headers that it adds to each request in protect.headers, such as X-Forwarded-Proto: https; accept this finding if it adds none',
    },
  ];
}

/** Whether the shop's configuration reads what a load balancer says. */
function usesForwarded({ directive: { args }, around }: Spot): boolean {
  return (
    args.some((arg) => FORWARDED.test(arg)) &&
    !around.some((block) => block.args.includes('$hotitem_forwarded'))
  );
}

/** `limits`: the includes of limit.conf. Behind a load balancer, all shoppers have its address, unless the realip module takes theirs from it. */
export function oneVisitor(
  limits: readonly OurInclude[],
  { site, sidecar }: Pick<Facts, 'site' | 'sidecar'>,
): Finding[] {
  const limit = limits.find((part) => inherited(part, 'set_real_ip_from') === undefined);
  const hasKey = site.spots.some(
    ({ directive: { name, args } }) =>
      (name === 'map' && args[1] === '$hotitem_visitor') ||
      (name === 'set' && args[0] === '$hotitem_visitor'),
  );
  if (limit === undefined || hasKey) return [];
  const server = blockAround(limit, 'server');
  const proxied = childrenNamed(server, 'listen').find(({ args }) => args.includes('proxy_protocol'));
  const sign = proxied ?? site.spots.find(usesForwarded)?.directive;
  const [header] = sidecar.keeperHeaders ?? [];
  const said =
    sign === undefined ? header && `protect.headers: ${header}` : `${sign.name} ${sign.args.join(' ')}`;
  const fix =
    'set_real_ip_from and real_ip_header, as in realip.conf.example; or a key of your own in $hotitem_visitor (items.conf)';
  if (said === undefined)
    return [
      {
        id: 'limit-one-visitor',
        severity: 'note',
        what: 'limit.conf distinguishes visitors by their address, and no set_real_ip_from applies there',
        where: placeOf(limit.directive),
        why: 'if a load balancer or CDN is in front of nginx, all shoppers have its address: they are one visitor, and are limited together',
        fix: `behind one: ${fix}; otherwise accept this`,
      },
    ];
  return [
    {
      id: 'limit-one-visitor',
      severity: 'warning',
      what: `shoppers come by a load balancer (${said}), and limit.conf distinguishes visitors by their address`,
      where: placeOf(sign ?? limit.directive),
      why: 'without set_real_ip_from, all shoppers have the address of the load balancer: they are one visitor, and are limited together',
      fix,
    },
  ];
}
