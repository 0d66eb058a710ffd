import { type Capture, redirectOf } from './captures.ts';
import type { Directive } from './directives.ts';
import type { Facts } from './facts.ts';
import { type Finding, placeOf } from './finding.ts';
import { CAPTURE_URI } from './includes.ts';
import { blockAround, childrenOf, nameOf } from './site.ts';

// What nginx asks after the rewrite phase: a location that hands its requests on by then never gets to it.
const NEVER_REACHED = ['limit_req', 'limit_conn', 'auth_basic', 'auth_request', 'allow', 'deny'];
const ENDS_REWRITING = ['return', 'break'];

/** What the shop's own directives around a capture do to it. */
export function locationFindings({ captures }: Facts): Finding[] {
  const servers = new Set(
    captures
      .filter(({ transport }) => transport !== 'log')
      .flatMap(({ spot }) => blockAround(spot, 'server') ?? []),
  );
  return [...[...servers].flatMap(catchers), ...captures.flatMap(tooLate), ...captures.flatMap(neverReached)];
}

/** Directives of a server that its internal locations see before they get a view. */
function catchers(server: Directive): Finding[] {
  return [...childrenOf(server.block ?? [])].flatMap((directive): Finding[] => {
    const { name, args, block } = directive;
    const inner = block === undefined ? [] : [...childrenOf(block)];
    const catches =
      name === 'return' ||
      (name === 'rewrite' && matchesCapture(args[0])) ||
      (name === 'if' &&
        !args.join(' ').includes('_hotitem') &&
        inner.some(
          (child) => child.name === 'return' || (child.name === 'rewrite' && matchesCapture(child.args[0])),
        ));
    if (!catches) return [];
    const sometimes = name === 'if';
    return [
      {
        id: 'server-catches-capture',
        severity: sometimes ? 'warning' : 'error',
        what: `${name} ${args.join(' ')} in ${nameOf(server)} ${sometimes ? 'may catch' : 'catches'} ${CAPTURE_URI}`,
        where: placeOf(directive),
        why: `rewrite, return and if of a server are for its subrequests, too: ${sometimes ? 'a view for which it holds is' : 'views are'} sent elsewhere, not to the sidecar`,
        fix: `move it into "location / { }", or let ${CAPTURE_URI} pass it`,
      },
    ];
  });
}

/** PCRE and JavaScript agree on what such rules are made of; a pattern that only PCRE knows is taken for harmless. */
function matchesCapture(pattern = ''): boolean {
  try {
    return new RegExp(pattern).test(CAPTURE_URI);
  } catch {
    return false;
  }
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
