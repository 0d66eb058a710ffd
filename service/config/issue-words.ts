import type * as z from 'zod';

const TYPES: Record<string, string> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping with settings',
};

/** The issues that are worth telling: a value of a wrong type is checked no further. */
export function issuesToTell(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue[] {
  const mistyped = issues.filter(({ code }) => code === 'invalid_type');
  const paths = new Set(mistyped.map(pathOf));
  return issues.filter((issue) => issue.code === 'invalid_type' || !paths.has(pathOf(issue)));
}

function pathOf({ path }: z.core.$ZodIssue): string {
  return JSON.stringify(path);
}

/** What is wrong with a value that somebody wrote, in our own words. Needs the input: `reportInput`. */
export function issueWords(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type': {
      if (issue.input === undefined) return 'is missing';
      const type = TYPES[issue.expected];
      if (type === undefined) return issue.message;
      return `must be ${type}${issue.expected === 'string' && isScalar(issue.input) ? ' in quotes' : ''}`;
    }
    case 'invalid_value':
      return `must be ${listOf(issue.values.map(String))}`;
    case 'too_small':
      if (issue.origin === 'number' || issue.origin === 'int')
        return `must be ${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}`;
      return issue.minimum === 1
        ? 'must not be empty'
        : `must have at least ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `must ${limitOf(issue.origin)} at most ${issue.maximum}${unitOf(issue.origin)}`;
    default:
      return issue.message;
  }
}

/** All that is wrong with the body of a request, in one line. */
export function bodyWords(issues: readonly z.core.$ZodIssue[]): string {
  return issuesToTell(issues)
    .map((issue) => `${issue.path.join('.') || 'body'}: ${issueWords(issue)}`)
    .join('; ');
}

/** As YAML reads text without quotes: `0660` is a number. */
function isScalar(input: unknown): boolean {
  return typeof input === 'number' || typeof input === 'boolean';
}

function limitOf(origin: string): string {
  return origin === 'string' || origin === 'array' ? 'have' : 'be';
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

function listOf(words: string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
