import type { Finding, Severity } from '../service/finding.ts';

const ORDER: Severity[] = ['error', 'warning', 'note'];

/**
 * Merges the findings of several checks into one list. A running process shows best how severe a problem is, and a file where to fix it:
 * findings with the same id become one, with the place and the command from `files` and the highest severity.
 */
export function mergeFindings(files: Finding[], running: Finding[]): Finding[] {
  const merged = files.map((finding): Finding => {
    const same = running.filter(({ id }) => id === finding.id);
    return { ...finding, severity: worst([finding, ...same]) };
  });
  const more = running.filter(({ id }) => files.every((finding) => finding.id !== id));
  return [...merged, ...more.filter((one, i) => more.findIndex((other) => isSame(one, other)) === i)];
}

function worst(findings: Finding[]): Severity {
  return ORDER.find((severity) => findings.some((one) => one.severity === severity)) ?? 'note';
}

function isSame(a: Finding, b: Finding): boolean {
  return a.id === b.id && a.what === b.what;
}
