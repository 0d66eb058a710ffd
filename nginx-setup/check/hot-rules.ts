import { type Finding, placeOf } from '../../service/finding.ts';
import type { Directive } from '../conf/directives.ts';
import {
  blockAround,
  childOf,
  childrenOf,
  inherited,
  nameOf,
  type OurInclude,
  type Site,
} from '../conf/site.ts';
import type { Capture } from './captures.ts';
import type { Facts } from './facts.ts';
import { otherInclude } from './mend.ts';

/** The include that checks whether an item is hot. */
export const LOOK = 'server-hot.conf';

/** Whether the hot check covers the captured pages, and changes nothing else. No findings if nothing includes it. */
export function hotFindings({ site, captures }: Facts): Finding[] {
  const looks = site.ours.filter(({ name }) => name === LOOK);
  return [
    ...looks.flatMap((look) => [
      ...rewrittenBelow(look),
      ...leftAbove(look),
      ...rewrittenInLocations(look, captures),
      ...believed(look),
      ...replaced(look, site),
    ]),
    ...site.ours.filter(({ name }) => name === 'hot.conf').flatMap(tooLate),
    ...(looks.length === 0 ? [] : off(site)),
  ];
}

/** Whether the hot check is switched off in this nginx. */
export function isHotOff({ spots }: Pick<Site, 'spots'>): boolean {
  const last = spots.findLast(
    ({ directive: { name, args } }) => name === 'map' && args[1] === '$hotitem_file',
  );
  return last?.directive.file.endsWith('/off-hot.conf') === true;
}

function off(site: Site): Finding[] {
  const include = site.ours.findLast(({ name }) => name === 'off-hot.conf');
  if (!isHotOff(site) || include === undefined) return [];
  const viaOff = site.ours.some(({ file }) => file.path === include.directive.file);
  return [
    {
      id: 'hot-off',
      severity: 'note',
      what: 'no item is ever hot in nginx',
      where: placeOf(include.directive),
      why: viaOff
        ? 'off.conf includes it, unless http-hot.conf is below it'
        : 'off-hot.conf is included: everything is set up, but no item is ever hot',
      fix: viaOff ? 'include http-hot.conf below off.conf' : 'replace it with http-hot.conf and reload',
      ...(!viaOff && { command: otherInclude(include.directive, 'off-hot.conf', 'http-hot.conf') }),
    },
  ];
}

/** nginx determines the item of a request once: a rewrite below the check has no effect on it. */
function rewrittenBelow(look: OurInclude): Finding[] {
  return rulesOf(look)
    .below.filter((rule) => isRewrite(rule) && !isExternal(rule))
    .map((rule) => ({
      id: 'hot-before-rewrite',
      severity: 'error',
      what: `${textOf(rule)} is below ${LOOK}`,
      where: placeOf(rule),
      why: `nginx determines the item at ${LOOK}, for capture as well: pages that this matches count as another item`,
      fix: `include ${LOOK} below it`,
    }));
}

function leftAbove(look: OurInclude): Finding[] {
  return rulesOf(look)
    .above.filter(({ name, args }) => name === 'rewrite' && (args[2] === 'last' || args[2] === 'break'))
    .map((rule) => ({
      id: 'hot-never-looked',
      severity: 'warning',
      what: `${textOf(rule)} ends the rules of the server before ${LOOK}`,
      where: placeOf(rule),
      why: 'pages that it matches are never hot in nginx',
      fix: `remove its "${rule.args[2]}", if no rule between it and ${LOOK} matches such a page`,
    }));
}

/** A location that rewrites to a capturing one: the item is then taken from the path as requested. */
function rewrittenInLocations({ around }: OurInclude, captures: Capture[]): Finding[] {
  const server = blockAround({ around }, 'server');
  const here = captures.filter(({ spot }) => blockAround(spot, 'server') === server);
  return locationsIn(server).flatMap((location) => {
    if (here.some(({ block }) => block === location)) return [];
    const rule = [...childrenOf(location.block ?? [])].find(
      (child) => isRewrite(child) && !isExternal(child) && child.args[2] !== 'break',
    );
    const target = here.find(
      ({ block }) => rule !== undefined && block !== undefined && mayLeadTo(rule, block),
    );
    if (rule === undefined || target === undefined) return [];
    return [
      {
        id: 'hot-item-early',
        severity: 'warning',
        what: `${nameOf(location)} rewrites to where ${target.location} captures`,
        where: placeOf(rule),
        why: `with ${LOOK}, nginx determines the item from the path as requested, for capture as well`,
        fix: `make items.conf match that path, too; or move the rewrite into the server, above ${LOOK}, without last`,
      },
    ];
  });
}

function mayLeadTo({ args }: Directive, { args: target }: Directive): boolean {
  const [first = '', second] = target;
  if (first.startsWith('~')) return true;
  const pattern = second ?? first;
  const [start = ''] = (args[1] ?? '').split('$');
  return pattern.startsWith(start) || start.startsWith(pattern);
}

function believed(look: OurInclude): Finding[] {
  const cache = inherited(look, 'open_file_cache');
  if (cache === undefined || cache.args[0] === 'off') return [];
  return [
    {
      id: 'hot-is-cached',
      severity: 'warning',
      what: `open_file_cache ${cache.args.join(' ')} also applies to ${LOOK}`,
      where: placeOf(cache),
      why: 'for open_file_cache_valid, ten seconds at most, nginx does not see that an item has turned cold; with open_file_cache_errors on, also not that it has turned hot',
      fix: 'move open_file_cache into the locations that serve files',
    },
  ];
}

/** Directives that have a pattern themselves: their $1 is not that of server_name. */
const OWN_PATTERN = ['rewrite', 'if', 'location', 'sub_filter'];

/** The hot check evaluates patterns for each request of the server, which overwrites $1. */
function replaced({ around }: OurInclude, { spots }: Site): Finding[] {
  const server = blockAround({ around }, 'server');
  const names = childOf(server, 'server_name')?.args ?? [];
  if (server === undefined || !names.some((name) => name.startsWith('~') && /(?<!\\)\((?!\?)/.test(name)))
    return [];
  const user = spots.find(
    ({ directive: { name, args }, around: blocks }) =>
      blocks.includes(server) &&
      !blocks.some((block) => block.name === 'location' && block.args[0]?.startsWith('~')) &&
      !OWN_PATTERN.includes(name) &&
      args.some((arg) => /\$\{?[1-9]/.test(arg)),
  );
  if (user === undefined) return [];
  return [
    {
      id: 'captures-replaced',
      severity: 'error',
      what: `${textOf(user.directive)} uses a numbered group of server_name, in a server that includes ${LOOK}`,
      where: placeOf(user.directive),
      why: 'the patterns of items.conf overwrite $1, $2 … of the request: another page is served',
      fix: 'use a named group: server_name ~^(?<shop>.+)\\.example$;',
    },
  ];
}

function tooLate({ around, file }: OurInclude): Finding[] {
  const location = around.at(-1);
  const children = [...childrenOf(location?.block ?? [])];
  const [set] = file.directives;
  const at = set === undefined ? -1 : children.indexOf(set);
  const ender = children
    .slice(0, Math.max(at, 0))
    .find(
      ({ name, args }) => name === 'return' || name === 'break' || (name === 'rewrite' && args.length > 2),
    );
  if (ender === undefined || location === undefined) return [];
  return [
    {
      id: 'hot-too-late',
      severity: 'error',
      what: `${ender.name} is above hot.conf in ${nameOf(location)}`,
      where: placeOf(ender),
      why: 'it ends the rewrite phase, in which hot.conf checks the item: no item is ever hot there',
      fix: 'include hot.conf first in its location',
    },
  ];
}

/** The rules of a server above and below the hot check, with those inside an `if`. */
function rulesOf({ around, file }: OurInclude): { above: Directive[]; below: Directive[] } {
  const children = [...childrenOf(blockAround({ around }, 'server')?.block ?? [])];
  const [first] = file.directives;
  const at = first === undefined ? -1 : children.indexOf(first);
  return {
    above: withConditional(children.slice(0, Math.max(at, 0))),
    below: withConditional(children.slice(at + file.directives.length)),
  };
}

function withConditional(rules: Directive[]): Directive[] {
  return rules.flatMap((rule) => (rule.name === 'if' ? [...childrenOf(rule.block ?? [])] : [rule]));
}

function locationsIn(block: Directive | undefined): Directive[] {
  const locations = [...childrenOf(block?.block ?? [])].filter(({ name }) => name === 'location');
  return [...locations, ...locations.flatMap(locationsIn)];
}

function isRewrite({ name }: Directive): boolean {
  return name === 'rewrite';
}

function isExternal({ args }: Directive): boolean {
  return args[2] === 'redirect' || args[2] === 'permanent' || /^(https?:\/\/|\$scheme)/.test(args[1] ?? '');
}

function textOf({ name, args }: Directive): string {
  return [name, ...args].join(' ');
}
