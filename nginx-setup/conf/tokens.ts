import { endOfLuaBlock } from './lua-block.ts';

/**
 * The words of an nginx configuration, split as nginx does it (ngx_conf_read_token):
 * - a word ends at white space, `;` or `{`; a brace after a `$` belongs to it (`${name}`), and so does a `#`, a quote or a
 *   `}` inside of it;
 * - a word that begins with a quote ends at the same quote, and what follows must be white space, `;`, `{` or `)`;
 * - a backslash escapes the character after it; before a quote or a backslash it is dropped, and `\t`, `\r`, `\n` become the
 *   characters that they name. Any other backslash is kept, for regular expressions.
 * The Lua between the braces of an `…_by_lua_block` is skipped.
 * Text that nginx would reject is rejected here too, without throwing: the last token describes the problem.
 */
export type Token =
  | { kind: 'word'; text: string; quoted: boolean; line: number }
  | { kind: ';' | '{' | '}'; line: number }
  | { kind: 'comment'; text: string; line: number }
  /** Reading stops here. */
  | { kind: 'error'; text: string; line: number };

const SPACE = new Set([' ', '\t', '\r', '\n']);
const ESCAPES: Record<string, string> = { '"': '"', "'": "'", '\\': '\\', t: '\t', r: '\r', n: '\n' };

/** Splits a configuration file into tokens. Lines are numbered from 1. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const char = text.charAt(at);
    const token = SPACE.has(char) ? undefined : next(char);
    if (token === undefined) advance();
    else tokens.push(token);
    if (token?.kind === 'error') break;
    if (token?.kind === '{' && startsLua(tokens)) skipTo(endOfLuaBlock(text, at));
  }
  return tokens;

  function next(char: string): Token {
    const start = line;
    if (char === ';' || char === '{' || char === '}') {
      advance();
      return { kind: char, line: start };
    }
    if (char === '#') return { kind: 'comment', text: rest(), line: start };
    return char === '"' || char === "'" ? quoted(char, start) : bare(start);
  }

  function rest(): string {
    const end = text.indexOf('\n', at);
    const comment = text.slice(at + 1, end === -1 ? text.length : end);
    at = end === -1 ? text.length : end;
    return comment;
  }

  function quoted(quote: string, start: number): Token {
    advance();
    let word = '';
    while (at < text.length) {
      if (text.charAt(at) === quote) {
        advance();
        return ended() ?? { kind: 'word', text: word, quoted: true, line: start };
      }
      word += character();
    }
    return { kind: 'error', text: `a ${quote} is never closed`, line: start };
  }

  function ended(): Token | undefined {
    const after = text.charAt(at);
    if (after === '' || SPACE.has(after) || ';{)'.includes(after)) return undefined;
    return { kind: 'error', text: `unexpected ${JSON.stringify(after)} after a quoted word`, line };
  }

  function bare(start: number): Token {
    let word = '';
    let afterDollar = false;
    while (at < text.length) {
      const char = text.charAt(at);
      if (SPACE.has(char) || char === ';' || (char === '{' && !afterDollar)) break;
      afterDollar = char === '$';
      word += character();
    }
    return { kind: 'word', text: word, quoted: false, line: start };
  }

  function character(): string {
    const char = advance();
    if (char !== '\\' || at >= text.length) return char;
    const escaped = advance();
    return ESCAPES[escaped] ?? `\\${escaped}`;
  }

  function skipTo(end: number): void {
    while (at < end) advance();
  }

  function advance(): string {
    const char = text.charAt(at++);
    if (char === '\n') line++;
    return char;
  }
}

/** Whether the block that was just opened contains Lua: its directive is the first word since the last `;` or brace. */
function startsLua(tokens: Token[]): boolean {
  for (let i = tokens.length - 2; i >= 0; i--) {
    const token = tokens[i];
    if (token?.kind !== 'word') return false;
    if (token.text.endsWith('_by_lua_block')) return true;
  }
  return false;
}
