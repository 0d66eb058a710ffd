import { type Capture, redirectOf } from './captures.ts';
import type { Directive } from './directives.ts';
import type { Facts } from './facts.ts';
import { type Finding, placeOf } from './finding.ts';
import { CAPTURE_URI, SUBREQUEST_VARIABLE } from './includes.ts';
import { installAgain } from './mend.ts';
import { blockAround, childrenOf, inherited, nameOf, type Site } from './site.ts';

// What nginx asks after the rewrite phase: a location that hands its requests on by then never gets to it.
const NEVER_REACHED = ['limit_req', 'limit_conn', 'auth_basic', 'auth_request', 'allow', 'deny'];
const ENDS_REWRITING = ['return', 'break'];
const RERUN = ['set', 'if', 'rewrite', 'return', 'break'];

/** What the shop's own directives around a capture do to it. */
export function locationFindings({ captures, site }: Facts): Finding[] {
  const servers = new Set(
    captures
      .filter(({ transport }) => transport !== 'log')
      .flatMap(({ spot }) => blockAround(spot, 'server') ?? []),
  );
  return [
    ...[...servers].flatMap((server) => rerun(server, site)),
    ...captures.flatMap(tooLate),
    ...captures.flatMap(inIf),
    ...captures.flatMap(neverReached),
    ...captures.flatMap(replaced),
  ];
}

/** What nginx runs again for the subrequest, because it stands before the lines of server.conf that end this. */
function rerun(server: Directive, site: Site): Finding[] {
  const children = [...childrenOf(server.block ?? [])];
  const guard = children.findIndex(isGuard);
  // Whether server.conf is there at all is for another rule to say.
  const ours = children.find(({ name, args }) => name === 'location' && args.at(-1) === CAPTURE_URI);
  if (guard === -1 && ours === undefined) return [];
  if (guard === -1) {
    return [
      {
        id: 'server-conf-old',
        severity: 'error',
        what: `server.conf in ${nameOf(server)} does not keep that server's rules from the subrequest`,
        where: placeOf(ours ?? server),
        why: WHY_RERUN,
        fix: 'hotitem nginx install writes the one of this version; include it first in its server',
        ...installAgain(site),
      },
    ];
  }
  return children
    .slice(0, guard)
    .filter(isRerun)
    .map(
      (directive): Finding => ({
        id: 'server-conf-too-late',
        severity: 'error',
        what: `${[directive.name, ...directive.args].join(' ')} stands before server.conf in ${nameOf(server)}`,
        where: placeOf(directive),
        why: WHY_RERUN,
        fix: 'include server.conf first in its server, above any set, if, rewrite or return',
      }),
    );
}

const WHY_RERUN =
  'nginx runs it again for the subrequest, with the variables of the page: that may go to another upstream, be stored for others, or take the view elsewhere';

/** `if ($uri = $hotitem_subrequest) { break; }` */
function isGuard({ name, args, block = [] }: Directive): boolean {
  return name === 'if' && args.join(' ').includes(SUBREQUEST_VARIABLE) && block[0]?.name === 'break';
}

/** The directives of nginx's rewrite module, and those that others put into its list: `set_by_lua`, `set_escape_uri` … */
function isRerun({ name, args }: Directive): boolean {
  if (name === 'set_real_ip_from' || args.join(' ').includes('_hotitem')) return false;
  return RERUN.includes(name) || name.startsWith('set_');
}

/** A rewrite or return before the capture ends the phase in which it would happen. */
function tooLate({ block, spot, location }: Capture): Finding[] {
  if (block === undefined) return [];
  const children = [...childrenOf(block.block ?? [])];
  const at = children.indexOf(spot.directive);
  const ender = children
    .slice(0, Math.max(at, 0))
    .find(({ name, args }) => ENDS_REWRITING.includes(name) || (name === 'rewrite' && args.length > 2));
  if (ender === undefined) return [];
  return [
    {
      id: 'capture-too-late',
      severity: 'error',
      what: `${ender.name} stands before the capture in ${location}`,
      where: placeOf(ender),
      why: 'it ends the rewrite phase, in which capture happens: the views that it takes are not captured',
      fix: 'put the capture first in its location',
    },
  ];
}

/** nginx serves what an `if` is true for by the configuration of the `if`, which inherits no try_files. */
function inIf({ block, spot, location }: Capture): Finding[] {
  const condition = blockAround(spot, 'if');
  const files = [...childrenOf(block?.block ?? [])].find(({ name }) => name === 'try_files');
  if (condition === undefined || files === undefined) return [];
  return [
    {
      id: 'capture-in-if',
      severity: 'error',
      what: `the capture in ${nameOf(condition)} of ${location} switches try_files off`,
      where: placeOf(condition),
      why: 'nginx forgets the try_files of a location wherever an if in it is true: such a page is a 404',
      fix: 'put the capture into the location itself; pages that show no item are left out by items.conf, with the item "-"',
    },
  ];
}

function neverReached({ block, location, how, spot }: Capture): Finding[] {
  const rewrite = block === undefined ? undefined : redirectOf(block);
  if (block === undefined || how !== 'redirect' || rewrite === undefined) return [];
  const children = [...childrenOf(block.block ?? [])].filter((child) => child !== spot.directive);
  const first = children.find(({ name }) => NEVER_REACHED.includes(name));
  if (first === undefined) return [];
  return [
    {
      id: 'never-reached',
      severity: 'warning',
      what: `${first.name} in ${location} does nothing for views that are redirected`,
      where: placeOf(first),
      why: `"rewrite … ${rewrite.args[2] ?? ''}" of that location leaves it before nginx asks for ${first.name}`,
      fix: `move ${first.name} into the location that the rewrite leads to`,
    },
  ];
}

/** Directives with a pattern of their own, whose $1 is not that of the location. */
const OWN_PATTERN = ['rewrite', 'if', 'location', 'sub_filter'];

/** Evaluating a map with a pattern, as items.conf has, replaces $1 of the request. */
function replaced({ block, spot, location }: Capture): Finding[] {
  const server = blockAround(spot, 'server');
  const names =
    server === undefined
      ? []
      : [...childrenOf(server.block ?? [])].filter(({ name }) => name === 'server_name');
  const patterns = [
    ...(block?.args[0]?.startsWith('~') ? [block.args.join(' ')] : []),
    ...names.flatMap(({ args }) => args.filter((arg) => arg.startsWith('~'))),
  ];
  // A group that is neither named nor without a number.
  if (!patterns.some((pattern) => /(?<!\\)\((?!\?)/.test(pattern))) return [];
  const user = [...childrenOf(block?.block ?? []), inherited(spot, 'root')].find(
    (directive) =>
      directive !== undefined &&
      !OWN_PATTERN.includes(directive.name) &&
      directive.args.some((arg) => /\$\{?[1-9]/.test(arg)),
  );
  if (user === undefined) return [];
  return [
    {
      id: 'captures-replaced',
      severity: 'error',
      what: `${[user.name, ...user.args].join(' ')} takes a numbered group of a pattern where ${location} captures`,
      where: placeOf(user),
      why: 'the patterns of items.conf replace $1, $2 … of the request: another page is served',
      fix: 'name the group, and use its name: location ~ ^/item/(?<page>.+)$ { … alias /srv/$page; }',
    },
  ];
}
