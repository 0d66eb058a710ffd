import { type Finding, placeOf } from '../../service/finding.ts';
import { blockAround, childrenOf, inherited, nameOf } from '../conf/site.ts';
import { type Capture, redirectOf } from './captures.ts';
import type { Facts } from './facts.ts';
import { rerunFindings } from './rerun-rules.ts';

// Directives of later phases: a location that a rewrite leaves in the rewrite phase never reaches them.
const NEVER_REACHED = ['limit_req', 'limit_conn', 'auth_basic', 'auth_request', 'allow', 'deny'];
const ENDS_REWRITING = ['return', 'break'];

/** How directives of the shop around a capture affect it. */
export function locationFindings(facts: Facts): Finding[] {
  const { captures } = facts;
  return [
    ...rerunFindings(facts),
    ...captures.flatMap(tooLate),
    ...captures.flatMap(inIf),
    ...captures.flatMap(neverReached),
    ...captures.flatMap(replaced),
  ];
}

/** A rewrite or return above the capture ends the rewrite phase, in which capture happens. */
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
      what: `${ender.name} is above the capture in ${location}`,
      where: placeOf(ender),
      why: 'it ends the rewrite phase, in which capture happens: views that reach it are not captured',
      fix: 'move the capture to the top of its location',
    },
  ];
}

/** If the condition of an `if` is true, nginx serves the request with the configuration of the `if`, which does not inherit try_files. */
function inIf({ block, spot, location }: Capture): Finding[] {
  const condition = blockAround(spot, 'if');
  const files = [...childrenOf(block?.block ?? [])].find(({ name }) => name === 'try_files');
  if (condition === undefined || files === undefined) return [];
  return [
    {
      id: 'capture-in-if',
      severity: 'error',
      what: `the capture in ${nameOf(condition)} of ${location} disables try_files`,
      where: placeOf(condition),
      why: 'nginx ignores the try_files of a location if the condition of an if in it is true: the page is a 404',
      fix: 'move the capture into the location itself; items.conf excludes pages that show no item, with the item "-"',
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
      what: `${first.name} in ${location} has no effect on redirected views`,
      where: placeOf(first),
      why: `"rewrite … ${rewrite.args[2] ?? ''}" of that location leaves it before nginx evaluates ${first.name}`,
      fix: `move ${first.name} into the location that the rewrite leads to`,
    },
  ];
}

/** Directives that have a pattern themselves: their $1 is not that of the location. */
const OWN_PATTERN = ['rewrite', 'if', 'location', 'sub_filter'];

/** Evaluating a map with patterns, such as items.conf, overwrites $1 of the request. */
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
  // A group with a number: neither (?<name>…) nor (?:…).
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
      what: `${[user.name, ...user.args].join(' ')} uses a numbered capture group, and ${location} captures views`,
      where: placeOf(user),
      why: 'the patterns of items.conf overwrite $1, $2 … of the request: another page is served',
      fix: 'use a named group: location ~ ^/item/(?<page>.+)$ { … alias /srv/$page; }',
    },
  ];
}
