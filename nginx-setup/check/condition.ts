import { toRegExp } from '../conf/locate.ts';

/** The value of a variable in a subrequest: one of these, the same as for the page (`alike`), or unknown. */
export type Reading = readonly string[] | 'alike' | 'unknown';

export type Condition = {
  /** Whether the block of an `if` runs for the subrequest: never, exactly if it ran for the page (`alike`), or unknown. */
  runs: 'never' | 'alike' | 'unknown';
  /** Whether its pattern has named groups, which set variables if it matches. */
  names: boolean;
};

/** How nginx evaluates the condition of an `if`, given as its words. */
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
