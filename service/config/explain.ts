import { distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { SECRETS, SECTIONS, SETTINGS } from './setting.ts';

/** What the schema found wrong, a line each, without a secret. */
export function explain(issue: z.core.$ZodIssue): string[] {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      // `{password:secret}` is one key in YAML.
      const name = key.replace(/[^\w.-].*$/s, '…');
      const full = path === '' ? name : `${path}.${name}`;
      return `${full}: unknown setting${suggest(full, [...SETTINGS.map((known) => known.path.join('.')), ...SECTIONS])}`;
    });
  }
  const got = mayHoldSecret(path, issue.input) ? '' : ` (got ${show(issue.input)})`;
  return [`${path}: ${issue.message}${got}`];
}

/** A secret, what stands where a section with one belongs, and what a rule about several settings is handed. */
function mayHoldSecret(path: string, input: unknown): boolean {
  const [...secrets] = SECRETS;
  return (
    secrets.some((secret) => secret === path || secret.startsWith(`${path}.`)) ||
    (typeof input === 'object' && input !== null)
  );
}

/** `, did you mean kafka.topic?`; empty where nothing known is near. */
export function suggest(unknown: string, known: string[]): string {
  const near = known
    .map((candidate) => ({ candidate, far: distance(unknown, candidate) }))
    .sort((a, b) => a.far - b.far)[0];
  return near !== undefined && near.far <= Math.max(2, unknown.length / 3)
    ? `, did you mean ${near.candidate}?`
    : '';
}

/** A value as a message may show it. */
export function show(value: unknown): string {
  const shown = typeof value === 'string' ? withoutSecrets(value) : value;
  return (JSON.stringify(shown) ?? 'nothing').slice(0, 200);
}

/** A login or a query in a URL, or what follows a name in a list of properties, stays out of the log. */
function withoutSecrets(text: string): string {
  if (/@.*[?#;=]|[?#;=].*@/s.test(text)) return '***';
  return text.replace(/^.*@/s, '***@').replace(/([?#;=]).+$/s, '$1***');
}
