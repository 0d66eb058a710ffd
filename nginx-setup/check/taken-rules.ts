import { type Finding, placeOf } from '../../service/finding.ts';
import type { Directive } from '../conf/directives.ts';
import { isFor, locate, toRegExp } from '../conf/locate.ts';
import { blockAround, childrenOf, nameOf, type Site } from '../conf/site.ts';
import type { Capture } from './captures.ts';
import { examplesOf } from './examples.ts';
import type { Facts } from './facts.ts';

const ITEM = '$hotitem_item';
/** The item that items.conf assigns to a path that shows none. */
const NONE = '-';
/** Example paths below a prefix, if items.conf names none. */
const USUAL = ['4711', '4711.html', '4711/'];
/** With one of these a location passes requests to another one, which may capture them. */
const LEADS_ON = ['rewrite', 'try_files', 'error_page'];

/** Item pages that another location serves instead of the capturing one: their views are silently not captured. */
export function takenFindings({ site, captures }: Facts): Finding[] {
  const items = itemsOf(site);
  return captures.flatMap((capture) => takenFrom(capture, items, captures));
}

function takenFrom({ block, spot, location }: Capture, items: Items, captures: Capture[]): Finding[] {
  const server = blockAround(spot, 'server');
  if (block === undefined || server === undefined) return [];
  const mine = [...items.examples, ...below(block)].filter((uri) => isFor(block, uri) && items.isItem(uri));
  const takers = new Map<Directive, string>();
  for (const uri of mine) {
    const taker = locate(server, uri);
    if (taker === undefined || takers.has(taker) || capturesIn(taker)) continue;
    takers.set(taker, uri);
  }
  return [...takers].map(([taker, uri]) => ({
    id: 'item-taken',
    severity: 'error',
    what: `${nameOf(taker)} takes ${uri} from ${location}`,
    where: placeOf(taker),
    why: 'nginx prefers a regular expression, a nested or a longer location, and the capture is not inherited: these views are not captured',
    fix: fixOf(taker, block),
  }));

  function capturesIn(taker: Directive): boolean {
    if (captures.some((other) => other.block === taker)) return true;
    return [...childrenOf(taker.block ?? [])].some(({ name }) => LEADS_ON.includes(name));
  }
}

function fixOf(taker: Directive, block: Directive): string {
  const nested = [...childrenOf(block.block ?? [])].includes(taker);
  const [first = ''] = block.args;
  const isPrefix = block.args.length === 1 && !first.startsWith('~');
  if (nested || !isPrefix) return `also include the same capture in ${nameOf(taker)}`;
  return `write location ^~ ${first}, which excludes regular expressions, or include the same capture in ${nameOf(taker)}`;
}

function below({ args }: Directive): string[] {
  const [first = '', second] = args;
  const prefix = first === '^~' ? second : args.length === 1 && !/^[~=]/.test(first) ? first : undefined;
  return prefix?.endsWith('/') ? USUAL.map((rest) => prefix + rest) : [];
}

export type Items = { examples: string[]; isItem(uri: string): boolean };

/** The item that items.conf finds in a path. */
export function itemsOf({ spots }: Site): Items {
  const map = spots.findLast(
    ({ directive: { name, args } }) => name === 'map' && args[1] === ITEM,
  )?.directive;
  // It reads something else, such as the query: any path may show an item.
  if (map === undefined || map.args[0] !== '$uri') return { examples: [], isItem: () => true };
  const lines = [...childrenOf(map.block ?? [])].map(({ name, args }) => ({
    key: name,
    value: args[0] ?? '',
  }));
  const patterns = lines
    .filter(({ key }) => key.startsWith('~'))
    .map(({ key, value }) => ({
      source: key.replace(/^~\*?/, ''),
      ignoresCase: key.startsWith('~*'),
      value,
    }));
  const fallback = lines.find(({ key }) => key === 'default')?.value ?? '';
  return {
    examples: patterns.flatMap(({ source, ignoresCase }) => examplesOf(source, ignoresCase)),
    isItem(uri) {
      const exact = lines.find(({ key }) => key === uri);
      const found =
        exact ?? patterns.find(({ source, ignoresCase }) => toRegExp(source, ignoresCase)?.test(uri));
      return (found?.value ?? fallback) !== NONE;
    },
  };
}
