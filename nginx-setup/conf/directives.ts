import { type Token, tokensOf } from './tokens.ts';

export type Directive = {
  name: string;
  args: string[];
  file: string;
  /** From 1. */
  line: number;
  /** The directives in its braces; undefined if it has none. */
  block?: Directive[];
  /** For an `include`: the files that it read. */
  included?: SourceFile[];
};

export type SourceFile = {
  path: string;
  text: string;
  directives: Directive[];
  /** Without the `#`. */
  comments: string[];
  problem?: ParseProblem;
};
export type ParseProblem = { text: string; line: number };

// nginx has no limit, but our recursion needs one.
const DEEPEST = 200;

/**
 * Parses one configuration file; does not follow includes. Never throws: `directives` has everything up to the first mistake, and
 * `problem` has the mistake.
 */
export function parseDirectives(path: string, text: string): SourceFile {
  const tokens = tokensOf(text);
  const comments = tokens.flatMap((token) => (token.kind === 'comment' ? [token.text.trim()] : []));
  const rest = tokens.filter((token) => token.kind !== 'comment');
  let at = 0;
  let problem: ParseProblem | undefined;
  const directives = blockOf(0);
  return { path, text, directives, comments, ...(problem && { problem }) };

  function blockOf(depth: number): Directive[] {
    const found: Directive[] = [];
    while (problem === undefined) {
      const token = rest[at];
      if (token === undefined) {
        if (depth > 0) fail('a block is never closed', rest.at(-1));
        break;
      }
      if (token.kind === '}') {
        if (depth === 0) fail('unexpected }', token);
        at++;
        break;
      }
      const directive = directiveOf(depth);
      if (directive !== undefined) found.push(directive);
    }
    return found;
  }

  function directiveOf(depth: number): Directive | undefined {
    const words: string[] = [];
    const line = rest[at]?.line ?? 1;
    for (let token = rest[at]; token?.kind === 'word'; token = rest[++at]) words.push(token.text);
    const end = rest[at++];
    const [name, ...args] = words;
    if (end?.kind === 'error') return fail(end.text, end);
    if (name === undefined || end === undefined || end.kind === '}') {
      return fail(
        end === undefined ? 'a directive has no end' : `unexpected ${end.kind}`,
        end ?? rest.at(-1),
      );
    }
    const directive = { name, args, file: path, line };
    if (end.kind === ';') return directive;
    if (depth >= DEEPEST) return fail(`blocks are nested deeper than ${DEEPEST}`, end);
    return { ...directive, block: blockOf(depth + 1) };
  }

  function fail(what: string, token: Token | undefined): undefined {
    problem ??= { text: what, line: token?.line ?? 1 };
  }
}

/** Prints directives as text that nginx reads as the same directives; words are quoted if they need it. */
export function printDirectives(directives: Directive[], indent = ''): string {
  return directives
    .map(({ name, args, block }) => {
      const head = `${indent}${[name, ...args].map(quote).join(' ')}`;
      return block === undefined
        ? `${head};\n`
        : `${head} {\n${printDirectives(block, `${indent}    `)}${indent}}\n`;
    })
    .join('');
}

function quote(word: string): string {
  if (/^[\w$/.:=~^-]+$/.test(word)) return word;
  // nginx reads `\t` in a word as a tab, so every backslash is doubled.
  return `"${word.replace(/[\\"]/g, '\\$&')}"`;
}
