import { type Token, tokensOf } from './tokens.ts';

export type Directive = {
  name: string;
  args: string[];
  file: string;
  /** From 1. */
  line: number;
  /** What its braces hold; undefined where it has none. */
  block?: Directive[];
  /** Of an `include`: the files that it brought in. */
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

// nginx itself has no limit; a stack has.
const DEEPEST = 200;

/**
 * Reads one configuration file; includes are not followed. Never throws: what could be read until the first mistake is in
 * `directives`, and the mistake in `problem`.
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

/** The directives as nginx would read them again, each word in quotes where it needs them. */
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
  // `\t` in a word is a tab, so a backslash of ours is always written twice.
  return `"${word.replace(/[\\"]/g, '\\$&')}"`;
}
