import type { Directive } from './directives.ts';
import { childrenOf } from './site.ts';

type Location = { directive: Directive; modifier: string; pattern: string };

/**
 * The location that nginx selects for a URI (ngx_http_core_find_location): the longest prefix, then the locations nested in it, then
 * the regular expressions in their order, unless the prefix is exact, has `^~`, or a nested location has matched. Undefined if none
 * matches. A pattern that only PCRE can read counts as not matching.
 */
export function locate(block: Directive, uri: string): Directive | undefined {
  return find(block, uri).location;
}

/** Whether a location matches that URI, regardless of all others. */
export function isFor(location: Directive, uri: string): boolean {
  const { modifier, pattern } = partsOf(location);
  if (isRegex(modifier)) return matches(location, uri);
  return modifier === '=' ? uri === pattern : uri.startsWith(pattern);
}

type Found = { location: Directive | undefined; final: boolean };

function find(block: Directive, uri: string): Found {
  const locations = [...childrenOf(block.block ?? [])].filter(isLocation).map(partsOf);
  const exact = locations.find(({ modifier, pattern }) => modifier === '=' && pattern === uri);
  if (exact !== undefined) return { location: exact.directive, final: true };

  const best = locations
    .filter(({ modifier, pattern }) => (modifier === '' || modifier === '^~') && uri.startsWith(pattern))
    .reduce<Location | undefined>(
      (longest, one) => (longest && longest.pattern.length >= one.pattern.length ? longest : one),
      undefined,
    );
  const nested = best === undefined ? undefined : find(best.directive, uri);
  if (nested?.final) return nested;

  const regex =
    best?.modifier === '^~'
      ? undefined
      : locations.find(({ modifier, directive }) => isRegex(modifier) && matches(directive, uri));
  if (regex === undefined) return { location: nested?.location ?? best?.directive, final: false };
  return { location: find(regex.directive, uri).location ?? regex.directive, final: true };
}

function isLocation({ name, args }: Directive): boolean {
  return name === 'location' && !args[0]?.startsWith('@');
}

/** nginx also accepts the modifier and its pattern as one word: `~\.php$`. */
function partsOf(directive: Directive): Location {
  const [, modifier = '', pattern = ''] = /^(=|\^~|~\*|~)? ?(.*)$/s.exec(directive.args.join(' ')) ?? [];
  return { directive, modifier, pattern };
}

function isRegex(modifier: string): boolean {
  return modifier === '~' || modifier === '~*';
}

function matches(location: Directive, uri: string): boolean {
  const { modifier, pattern } = partsOf(location);
  return toRegExp(pattern, modifier === '~*')?.test(uri) ?? false;
}

const POSIX: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  space: '\\s',
  xdigit: '0-9A-Fa-f',
};

/** Translates a PCRE pattern into JavaScript, which agree on most of the syntax. Undefined if it cannot be translated. */
export function toRegExp(pattern: string, ignoresCase: boolean): RegExp | undefined {
  const inline = pattern.startsWith('(?i)');
  const source = (inline ? pattern.slice('(?i)'.length) : pattern)
    .replaceAll('(?P<', '(?<')
    .replace(/\[:(\w+):\]/g, (whole, name: string) =>
      Object.hasOwn(POSIX, name) ? (POSIX[name] ?? whole) : whole,
    )
    .replace(/\\A/g, '^')
    .replace(/\\[zZ]/g, '$')
    // JavaScript has no possessive quantifiers; without the `+` a pattern matches no less.
    .replace(/(?<=[^\\][*+?}])\+/g, '');
  try {
    return new RegExp(source, ignoresCase || inline ? 'i' : '');
  } catch {
    return undefined;
  }
}
