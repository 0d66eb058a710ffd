import { type Token, tokensOf } from './tokens.ts';

const PLACEHOLDER = /@HOTITEM_[A-Z]+@/;

/**
 * Whether a file holds what a template of ours makes, whatever its placeholders became; comments and white space do not
 * count.
 */
export function madeFrom(template: string, text: string): boolean {
  const [wanted, found] = [meaningful(template), meaningful(text)];
  return wanted.length === found.length && wanted.every((token, i) => agrees(token, found[i]));
}

function meaningful(text: string): Token[] {
  return tokensOf(text).filter(({ kind }) => kind !== 'comment');
}

function agrees(wanted: Token, found: Token | undefined): boolean {
  if (wanted.kind !== 'word' || found?.kind !== 'word') return wanted.kind === found?.kind;
  const parts = wanted.text.split(PLACEHOLDER);
  const [head = '', ...more] = parts;
  const tail = more.at(-1);
  if (tail === undefined) return wanted.text === found.text;
  return (
    found.text.startsWith(head) && found.text.endsWith(tail) && found.text.length >= head.length + tail.length
  );
}
