import { distance } from 'fastest-levenshtein';
import type * as z from 'zod';
import { issueWords } from './issue-words.ts';
import { SECRETS, SECTIONS, SETTINGS } from './setting.ts';

/** The errors of the schema, one per line, without secrets. `formerNames`: by setting, as what it was given. */
export function explain(
  issue: z.core.$ZodIssue,
  formerNames: ReadonlyMap<string, string | undefined>,
): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    const known = [...SETTINGS.map((setting) => setting.path.join('.')), ...SECTIONS];
    return issue.keys.map((key) => {
      // `{password:secret}` is one key in YAML.
      const name = key.replace(/[^\w.-].*$/s, '…');
      const full = path === '' ? name : `${path}.${name}`;
      // Messages and documentation name settings with dots, as YAML does not.
      const isKnown = known.some((setting) => setting === full || setting.startsWith(`${full}.`));
      return key.includes('.') && isKnown
        ? `${full}: must be nested in YAML: ${nested(full)}`
        : `${full}: unknown setting${suggest(full, known)}`;
    });
  }
  const isShown = issue.input !== undefined && !mayHoldSecret(path, issue.input);
  const got = isShown ? ` (got ${show(issue.input)})` : '';
  const former = formerNames.get(path);
  return [`${path}: ${issueWords(issue)}${got}${former === undefined ? '' : ` (set as ${former})`}`];
}

/** `kafka: { tls: … }`: on one line, it needs no indentation. */
function nested(name: string): string {
  return name
    .split('.')
    .toReversed()
    .reduce((inner, part) => `${part}: ${inner === '…' ? inner : `{ ${inner} }`}`, '…');
}

/** True for a secret, for a value in place of a section with secrets, and for the input of a rule about several settings. */
function mayHoldSecret(path: string, input: unknown): boolean {
  const [...secrets] = SECRETS;
  return (
    /^webhooks\.\d+\.url$/.test(path) ||
    secrets.some((secret) => secret === path || secret.startsWith(`${path}.`)) ||
    (typeof input === 'object' && input !== null)
  );
}

/** `, did you mean kafka.topic?`; empty if no known name is similar. */
export function suggest(unknown: string, known: string[]): string {
  const near = nearest(unknown, known);
  return near === undefined ? '' : `, did you mean ${near}?`;
}

/** The known name that is most similar; undefined if none is. */
export function nearest(unknown: string, known: string[]): string | undefined {
  const near = known
    .map((candidate) => ({ candidate, far: distance(unknown, candidate) }))
    .sort((a, b) => a.far - b.far)[0];
  return near !== undefined && near.far <= Math.max(2, unknown.length / 3) ? near.candidate : undefined;
}

/** A value in the form in which a message may show it. */
export function show(value: unknown): string {
  const shown = typeof value === 'string' ? withoutSecrets(value) : value;
  return (JSON.stringify(shown) ?? 'nothing').slice(0, 200);
}

/** Hides a login or query in a URL, and values in a list of properties. */
function withoutSecrets(text: string): string {
  if (/@.*[?#;=]|[?#;=].*@/s.test(text)) return '***';
  return text.replace(/^.*@/s, '***@').replace(/([?#;=]).+$/s, '$1***');
}
