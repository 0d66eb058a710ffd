import { toRegExp } from '../conf/locate.ts';

const MOST = 24;

/**
 * A few texts that a pattern matches, with and without its optional parts. Only for patterns of letters, classes, groups,
 * alternatives and quantifiers, as paths use them; empty for all others.
 */
export function examplesOf(pattern: string, ignoresCase: boolean): string[] {
  const regexp = toRegExp(pattern, ignoresCase);
  if (regexp === undefined) return [];
  let at = 0;
  const found = alternatives();
  return [...new Set(found)].filter((text) => regexp.test(text));

  function alternatives(): string[] {
    const all = sequence();
    while (pattern[at] === '|') {
      at++;
      all.push(...sequence());
    }
    return all.slice(0, MOST);
  }

  function sequence(): string[] {
    let texts = [''];
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') {
      const next = repeated(atom());
      texts = texts.flatMap((text) => next.map((more) => text + more)).slice(0, MOST);
    }
    return texts;
  }

  function atom(): string[] {
    const char = pattern[at++] ?? '';
    if (char === '^' || char === '$') return [''];
    if (char === '.') return ['a'];
    if (char === '[') return set();
    if (char === '(') return group();
    if (char !== '\\') return [char];
    const escaped = pattern[at++] ?? '';
    return /[a-z]/i.test(escaped) ? ofClass(`\\${escaped}`) : [escaped];
  }

  function group(): string[] {
    // (?:…), (?<name>…), (?P<name>…); lookaheads and lookbehinds match nothing.
    const [head = ''] = /^\?(?::|P?<\w+>|<?[=!])/.exec(pattern.slice(at)) ?? [];
    at += head.length;
    const inner = alternatives();
    at++;
    return /^\?<?[=!]$/.test(head) ? [''] : inner;
  }

  function set(): string[] {
    const [whole = ''] = /^\^?\]?(?:\\.|[^\]\\])*\]/s.exec(pattern.slice(at)) ?? [];
    at += whole.length;
    return ofClass(`[${whole}`);
  }

  function repeated(texts: string[]): string[] {
    const [whole, sign = '', least] = /^(?:([?*+])|\{(\d+)(?:,\d*)?\})[?+]?/.exec(pattern.slice(at)) ?? [];
    if (whole === undefined) return texts;
    at += whole.length;
    if (least !== undefined) return texts.map((text) => text.repeat(Number(least)));
    return sign === '+' ? texts : [...texts, ''];
  }
}

/** One character of a class. */
function ofClass(source: string): string[] {
  const regexp = toRegExp(`^${source}$`, false);
  return ['4', 'a', 'A', '-', '/', '.', ' '].filter((char) => regexp?.test(char)).slice(0, 1);
}
