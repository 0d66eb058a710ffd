import { toRegExp } from '../conf/locate.ts';

/** The value of a variable in a subrequest: one of some values, that of the page, or unknown. */
export type Reading = readonly string[] | 'alike' | 'unknown';

export type Condition = {
  /** Whether the content of an `if` runs for the subrequest: never, as for the page, or unknown. */
  runs: 'never' | 'alike' | 'unknown';
  /** It has a pattern with named groups, which become variables where it matches. */
  names: boolean;
};

/** What nginx makes of the condition of an `if`, given as its words. */
export function conditionOf(args: string[], read: (variable: string) => Reading): Condition {
  const [first = '', operator = '', ...rest] = wordsOf(args);
  const value = rest.join(' ');
  const names = operator.includes('~') && /\(\?P?<\w/.test(value);
  return { runs: runs(), names };

  function runs(): Condition['runs'] {
    if (/^!?-[fdex]$/.test(first)) return allAlike(operator) ? 'alike' : 'unknown';
    const reading = read(first.replace(/^\$\{?(\w+)\}?$/, '$1'));
    if (reading === 'unknown') return 'unknown';
    if (operator === '')
      return reading === 'alike' ? 'alike' : never(reading, (text) => text !== '' && text !== '0');
    if (operator.includes('~')) {
      if (reading === 'alike') return 'alike';
      const regexp = toRegExp(value, operator.endsWith('*'));
      if (regexp === undefined) return 'unknown';
      return never(reading, (text) => regexp.test(text) !== operator.startsWith('!'));
    }
    if (reading === 'alike') return allAlike(value) ? 'alike' : 'unknown';
    if (value.includes('$')) return 'unknown';
    return never(reading, (text) => (text === value) !== operator.startsWith('!'));
  }

  function allAlike(text: string): boolean {
    return [...text.matchAll(/\$\{?(\w+)/g)].every(([, name = '']) => read(name) === 'alike');
  }
}

function never(texts: readonly string[], holds: (text: string) => boolean): 'never' | 'unknown' {
  return texts.some(holds) ? 'unknown' : 'never';
}

/** `($host`, `=`, `a)`, also with spaces inside the parentheses. */
function wordsOf(args: string[]): string[] {
  const words = [...args];
  words[0] = (words[0] ?? '').replace(/^\(/, '');
  const last = words.length - 1;
  words[last] = (words[last] ?? '').replace(/\)$/, '');
  return words.filter((word) => word !== '');
}
