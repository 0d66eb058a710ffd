import { tokensOf } from '../conf/tokens.ts';

/** Whether two files are equal for nginx, which ignores comments and white space. */
export function saysTheSame(one: string, other: string): boolean {
  const [a, b] = [meaningful(one), meaningful(other)];
  return a.length === b.length && a.every((word, i) => word === b[i]);
}

function meaningful(text: string): string[] {
  return tokensOf(text).flatMap((token) =>
    token.kind === 'comment' ? [] : [token.kind === 'word' ? `word ${token.text}` : token.kind],
  );
}
