import type { Finding, Severity } from '../service/finding.ts';

const ORDER: Severity[] = ['error', 'warning', 'note'];

/**
 * Findings of several checks as one list. What a running process shows is worse than what a file says, and the file says better where
 * to put it right: of the same id the place and the command are those of `files`, the severity is the worst.
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
