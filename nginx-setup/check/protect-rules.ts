import { type Finding, placeOf } from '../../service/finding.ts';
import type { Directive } from '../conf/directives.ts';
import {
  blockAround,
  childOf,
  childrenNamed,
  inherited,
  nameOf,
  type OurInclude,
  type Site,
} from '../conf/site.ts';
import { DEFAULT_KEEPER } from '../includes.ts';
import type { Facts } from './facts.ts';
import { behind, oneVisitor } from './load-balancer-rules.ts';
import { otherInclude } from './mend.ts';

const LOOK = 'server-protect.conf';
const ACTIONS = 'server-actions.conf';
/** The kind of upstream that each include is for. */
const PASS: Readonly<Record<string, 'proxy' | 'fastcgi'>> = {
  'cache.conf': 'proxy',
  'announce.conf': 'proxy',
  'cache-fastcgi.conf': 'fastcgi',
  'announce-fastcgi.conf': 'fastcgi',
};
const CACHES = ['cache.conf', 'cache-fastcgi.conf'];
/** Directives of our includes that nginx inherits only into a level that has none of them. */
const REPLACED: Readonly<Record<string, readonly string[]>> = {
  'cache.conf': ['proxy_ignore_headers'],
  'cache-fastcgi.conf': ['fastcgi_ignore_headers', 'fastcgi_param'],
  'announce.conf': ['proxy_set_header'],
  'announce-fastcgi.conf': ['fastcgi_param'],
  'limit.conf': ['limit_req'],
  'isolate.conf': ['error_page'],
};
const ADDRESS = /^\$(?:binary_)?remote_addr$/;
const ISOLATED = '@hotitem_isolated';
/** Directives that decide who may see a page. */
const GUARDS = [
  'auth_basic',
  'auth_request',
  'auth_jwt',
  'allow',
  'deny',
  'satisfy',
  'secure_link',
  'limit_except',
];

/** Whether the includes that protect the origin work, and change nothing else. No findings if none is included. */
export function protectFindings({ site, sidecar }: Facts): Finding[] {
  const keeper = sidecar.keeper ?? DEFAULT_KEEPER;
  const parts = site.ours.filter(({ name }) => name in PASS || name in REPLACED);
  const caches = parts.filter(({ name }) => CACHES.includes(name));
  const limits = parts.filter(({ name }) => name === 'limit.conf');
  const looks = site.ours.filter(({ name }) => name === LOOK || name === ACTIONS);
  return [
    ...looks.flatMap((look) => tooEarly(look, site)),
    ...looks.filter(({ name }) => name === LOOK).flatMap((look) => unheard(look, { site, keeper })),
    ...parts.flatMap((part) => [...notPassed(part), ...replaced(part)]),
    ...caches.flatMap(notStored),
    ...caches.flatMap((part) => limited(part, site)),
    ...limits.flatMap(mixed),
    ...oneVisitor(limits, { site, sidecar }),
    ...parts.filter(({ name }) => name === 'isolate.conf').flatMap(unguarded),
    ...(caches.length > 0 ? behind(site, sidecar.keeperHeaders ?? []) : []),
    ...(looks.length === 0 ? [] : off(site)),
  ];
}

function off({ ours }: Site): Finding[] {
  const include = ours.findLast(({ name }) => name === 'http-protect.conf' || name === 'off-protect.conf');
  if (include?.name !== 'off-protect.conf') return [];
  return [
    {
      id: 'protect-off',
      severity: 'note',
      what: 'nginx does not act on hot items',
      where: placeOf(include.directive),
      why: 'off-protect.conf is included: everything is set up, but switched off',
      fix: 'replace it with http-protect.conf and reload',
      command: otherInclude(include.directive, 'off-protect.conf', 'http-protect.conf'),
    },
  ];
}

function tooEarly(look: OurInclude, { ours }: Site): Finding[] {
  const server = blockAround(look, 'server');
  const hot = ours.find((one) => one.name === 'server-hot.conf' && blockAround(one, 'server') === server);
  if (hot === undefined || ours.indexOf(hot) < ours.indexOf(look)) return [];
  return [
    {
      id: 'protect-too-early',
      severity: 'error',
      what: `${look.name} is above server-hot.conf`,
      where: placeOf(look.directive),
      why: 'it does not know yet whether the item is hot: nginx never acts on a hot item',
      fix: `include ${look.name} below server-hot.conf`,
    },
  ];
}

/** The keeper's listener, in the servers whose pages it requests. */
function unheard(look: OurInclude, { site, keeper }: { site: Site; keeper: string }): Finding[] {
  const server = blockAround(look, 'server');
  const asked = site.ours.some((one) => CACHES.includes(one.name) && blockAround(one, 'server') === server);
  if (server === undefined || !asked) return [];
  const listens = childrenNamed(server, 'listen');
  const port = keeper.slice(keeper.lastIndexOf(':') + 1);
  const own = listens.find(({ args }) => args[0] === keeper);
  const everywhere = listens.find(({ args }) =>
    [port, `*:${port}`, `0.0.0.0:${port}`, `[::]:${port}`].includes(args[0] ?? ''),
  );
  const at = (what: Directive) => ({ where: placeOf(what) });
  if (own === undefined && everywhere !== undefined)
    return [
      {
        id: 'keeper-exposed',
        severity: 'warning',
        what: `${nameOf(server)} listens on the keeper's port on all addresses: listen ${everywhere.args.join(' ')}`,
        ...at(everywhere),
        why: 'other hosts can reach it; only the secret prevents that they fill the cache',
        fix: `listen ${keeper};`,
      },
    ];
  if (own === undefined)
    return [
      {
        id: 'keeper-not-heard',
        severity: 'warning',
        what: `${nameOf(server)} does not listen on ${keeper} (nginx.keeper)`,
        ...at(look.directive),
        why: 'the sidecar cannot request pages there, so no page is cached',
        fix: `add listen ${keeper}; (with ssl if its pages are https)`,
      },
    ];
  const others = listens.filter((listen) => listen !== own);
  const differs = others.length > 0 && others.every((listen) => isTls(listen) !== isTls(own));
  if (!differs) return [];
  return [
    {
      id: 'keeper-scheme',
      severity: 'error',
      what: `${nameOf(server)} speaks ${isTls(own) ? 'http' : 'https'} to shoppers, but not to the keeper: listen ${own.args.join(' ')}`,
      ...at(own),
      why: 'the scheme is part of the cache key: shoppers never get a cached page',
      fix: isTls(own) ? `listen ${keeper};` : `listen ${keeper} ssl;`,
    },
  ];
}

function isTls({ args }: Directive): boolean {
  return args.includes('ssl') || args.includes('quic');
}

function notPassed(part: OurInclude): Finding[] {
  const kind = PASS[part.name];
  const location = part.around.at(-1);
  if (kind === undefined || childOf(location, `${kind}_pass`) !== undefined) return [];
  return [
    {
      id: 'protect-not-passed',
      severity: 'error',
      what: `${part.name} is in a location without ${kind}_pass`,
      where: placeOf(part.directive),
      why: 'it has no effect there',
      fix: `include it beside ${kind}_pass, in the location that passes requests to the origin`,
    },
  ];
}

/** Outer directives that the location no longer inherits because of the include. */
function replaced(part: OurInclude): Finding[] {
  const location = part.around.at(-1);
  return (REPLACED[part.name] ?? []).flatMap((name) => {
    const own = ownBeside(part, name);
    const outer = inherited({ around: part.around.slice(0, -1) }, name);
    if (own !== undefined || outer === undefined) return [];
    return [
      {
        id: 'protect-replaces',
        severity: 'error' as const,
        what: `${part.name} replaces ${outer.name} ${outer.args.join(' ')} in ${location === undefined ? 'its location' : nameOf(location)}`,
        where: placeOf(part.directive),
        why: `nginx inherits ${name} only into a location that has none of its own: pages of that location change, hot or not`,
        fix: `repeat the outer ${name} lines beside ${part.name}`,
      },
    ];
  });
}

function notStored(part: OurInclude): Finding[] {
  const kind = PASS[part.name] ?? 'proxy';
  const findings: Finding[] = [];
  const where = placeOf(part.directive);
  const own = ownBeside(part, `${kind}_cache`);
  if (own !== undefined)
    findings.push({
      id: 'cache-taken',
      severity: 'error',
      what: `${part.name} stands beside ${own.name} ${own.args.join(' ')}`,
      where: placeOf(own),
      why: 'a location has one cache: nginx does not start',
      fix: `leave ${part.name} out there, or your own cache`,
    });
  const outer = inherited({ around: part.around.slice(0, -1) }, `${kind}_cache`);
  if (outer !== undefined && outer.args[0] !== 'off')
    findings.push({
      id: 'cache-taken',
      severity: 'error',
      what: `${part.name} replaces ${outer.name} ${outer.args.join(' ')}`,
      where,
      why: 'a location has only one cache: pages in your own cache would come from the origin',
      fix: `remove ${part.name} there, or your own cache`,
    });
  const buffering = inherited(part, `${kind}_buffering`);
  if (buffering?.args[0] === 'off')
    findings.push({
      id: 'cache-unbuffered',
      severity: 'warning',
      what: `${buffering.name} off also applies to ${part.name}`,
      where: placeOf(buffering),
      why: 'nginx caches no page without buffering',
      fix: `set ${buffering.name} on; in that location`,
    });
  const ignored = childrenNamed(part.around.at(-1), `${kind}_ignore_headers`).find(({ args }) =>
    args.includes('Set-Cookie'),
  );
  if (ignored !== undefined)
    findings.push({
      id: 'cache-ignores-cookies',
      severity: 'warning',
      what: `${ignored.name} ${ignored.args.join(' ')} is beside ${part.name}`,
      where: placeOf(ignored),
      why: 'nginx then also caches pages that set a cookie',
      fix: 'remove Set-Cookie from it',
    });
  const header = inherited(part, 'add_header');
  const told = tells(part);
  if (header !== undefined && !told)
    findings.push({
      id: 'keeper-not-told',
      severity: 'error',
      what: `${header.name} ${header.args[0]} replaces the header that tells the keeper whether a page is stored`,
      where: placeOf(header),
      why: 'the keeper then keeps no page: nginx gets all pages of that location from the origin',
      fix: 'add beside it: add_header X-Hotitem-Keeper $hotitem_keeper_told always;',
    });
  return findings;
}

/** Whether the keeper's header is among the add_header lines that apply there. */
function tells({ around }: OurInclude): boolean {
  for (const block of around.toReversed()) {
    const headers = childrenNamed(block, 'add_header');
    if (headers.length > 0) return headers.some(({ args }) => args[0] === 'X-Hotitem-Keeper');
  }
  return false;
}

/** A directive beside the include that is not from the include. */
function ownBeside({ around, file }: OurInclude, name: string): Directive | undefined {
  return childrenNamed(around.at(-1), name).find((child) => !file.directives.includes(child));
}

/** Limits of the shop whose key is the address: all requests of the keeper have the same. */
function limited(part: OurInclude, site: Site): Finding[] {
  return (['limit_req', 'limit_conn'] as const).flatMap((name) => {
    const levels = part.around.toReversed().map((block) => childrenNamed(block, name));
    const limits = levels.find((all) => all.length > 0) ?? [];
    return limits.flatMap((limit) => {
      const key = keyOf(limit, site);
      if (!ADDRESS.test(key)) return [];
      return [
        {
          id: 'keeper-limited',
          severity: 'warning' as const,
          what: `${name} ${limit.args.join(' ')} limits the sidecar's own requests, too`,
          where: placeOf(limit),
          why: 'they all come from 127.0.0.1: while several items are hot, nginx rejects them, and no page stays cached',
          fix: `map $hotitem_keeper $shop_limit_key { "" ${key}; default ""; } and ${name}_zone $shop_limit_key …`,
        },
      ];
    });
  });
}

/** Of the zone of a `limit_req` or `limit_conn`; empty if there is none. */
function keyOf({ name, args }: Directive, { spots }: Site): string {
  const zone = name === 'limit_conn' ? args[0] : args.find((arg) => arg.startsWith('zone='))?.slice(5);
  const made = spots.find(
    ({ directive }) =>
      directive.name === `${name}_zone` && directive.args.some((arg) => arg.startsWith(`zone=${zone}:`)),
  );
  return made?.directive.args[0] ?? '';
}

function mixed(part: OurInclude): Finding[] {
  const own = ownBeside(part, 'limit_req');
  if (own === undefined) return [];
  return [
    {
      id: 'limit-mixed',
      severity: 'error',
      what: `limit.conf is beside limit_req ${own.args.join(' ')}`,
      where: placeOf(own),
      why: 'limit_req_dry_run and limit_req_status apply to all limits of a location: yours rejects nobody while ours is in dry run',
      fix: 'remove limit.conf there, or move your limit to a location that the request passes before',
    },
  ];
}

/** nginx does not check the access rules of a location from which isolate.conf redirects the request. */
function unguarded(part: OurInclude): Finding[] {
  const location = part.around.at(-1);
  const target = childrenNamed(blockAround(part, 'server'), 'location').find(
    ({ args }) => args[0] === ISOLATED,
  );
  if (target === undefined)
    return [
      {
        id: 'isolated-missing',
        severity: 'error',
        what: `isolate.conf redirects to location ${ISOLATED}, which this server does not have`,
        where: placeOf(part.directive),
        why: 'requests of an isolated item get an error',
        fix: `add it as the first lines of isolate.conf show`,
      },
    ];
  // Directives outside the server apply to both locations.
  const inside = part.around.slice(part.around.findLastIndex(({ name }) => name === 'server') + 1);
  return GUARDS.flatMap((name) => {
    const guard = inherited({ around: inside }, name);
    if (guard === undefined || childOf(target, name) !== undefined) return [];
    return [
      {
        id: 'isolated-unguarded',
        severity: 'error' as const,
        what: `${ISOLATED} lacks ${name} ${guard.args.join(' ')} of ${location === undefined ? 'its location' : nameOf(location)}`.trimEnd(),
        where: placeOf(guard),
        why: 'pages of an isolated item are shown without it',
        fix: `repeat it in location ${ISOLATED}`,
      },
    ];
  });
}
