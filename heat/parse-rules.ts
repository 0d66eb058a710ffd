import { distance } from 'fastest-levenshtein';
import type * as z from 'zod';
import { issuesToTell, issueWords } from '../service/config/issue-words.ts';
import { parseSettings } from '../service/config/parse-settings.ts';
import { RULES_KEYS, type RulesFile, rulesSchema } from './rules-schema.ts';

/** All problems of a rules file, one per line: `rules[0].busy: problem (got value)`. */
export class RulesError extends Error {
  override name = 'RulesError';
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** What rules may depend on. */
export type RulesContext = {
  /** Whether `catalogue.file` is set. */
  hasCatalogue?: boolean;
};

const LONGEST_SHOWN = 100;
const MOST_PROBLEMS = 100;
const NEAR = 3;

/**
 * Parses rules in YAML. Throws a `RulesError` with all problems. An empty text is a problem: an editor may truncate the file before it
 * writes, and a full disk leaves one.
 */
export function parseRules(text: string, { hasCatalogue = false }: RulesContext = {}): RulesFile {
  const value = yamlOf(text) ?? undefined;
  if (value === undefined) throw new RulesError(['the file: is empty; write `rules: []` for no rules']);
  const read = rulesSchema.safeParse(value, { reportInput: true });
  if (read.success) {
    const missing = hasCatalogue ? [] : catalogueProblems(read.data);
    if (missing.length > 0) throw new RulesError(missing);
    return read.data;
  }
  const problems = issuesToTell(read.error.issues).flatMap(explain);
  const more = problems.length - MOST_PROBLEMS;
  throw new RulesError(
    more > 0 ? [...problems.slice(0, MOST_PROBLEMS), `and ${more} problems more`] : problems,
  );
}

/** A rule that could never apply as it is meant. */
function catalogueProblems({ rules }: RulesFile): string[] {
  const needs = 'needs a catalogue: set catalogue.file in the configuration';
  return rules.flatMap(({ category, catalogue_only }, i) => [
    ...(category === undefined ? [] : [`rules[${i}].category: ${needs}${got(category)}`]),
    ...(catalogue_only === true ? [`rules[${i}].catalogue_only: ${needs}${got(true)}`] : []),
  ]);
}

function yamlOf(text: string): unknown {
  try {
    return parseSettings(text);
  } catch (error) {
    throw new RulesError([error instanceof Error ? error.message : String(error)]);
  }
}

function explain(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${pathOf([...issue.path, key])}: unknown key${suggestion(key)}`);
  // A union of `false` and an object: report the object's own problems.
  if (issue.code === 'invalid_union') {
    const inner = issue.errors.at(-1) ?? [];
    const isObject = typeof issue.input === 'object' && issue.input !== null;
    if (isObject && inner.length > 0)
      return inner.flatMap((one) => explain({ ...one, path: [...issue.path, ...one.path] }));
    return [`${pathOf(issue.path)}: must be false, or thresholds${got(issue.input)}`];
  }
  return [`${pathOf(issue.path)}: ${issueWords(issue)}${got(issue.input)}`];
}

/** `rules[0].items[2]` */
function pathOf(path: PropertyKey[]): string {
  const text = path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part).slice(0, LONGEST_SHOWN)}`))
    .join('')
    .replace(/^\./, '');
  return text === '' ? 'the file' : text;
}

function got(value: unknown): string {
  if (value === undefined || (typeof value === 'object' && value !== null)) return '';
  if (typeof value === 'number') return ` (got ${value})`;
  return ` (got ${(JSON.stringify(value) ?? 'nothing').slice(0, LONGEST_SHOWN)})`;
}

function suggestion(key: string): string {
  const near = RULES_KEYS.map((known) => ({ known, far: distance(known, key) })).sort(
    (a, b) => a.far - b.far,
  )[0];
  return near !== undefined && near.far <= NEAR ? `, did you mean ${near.known}?` : '';
}
