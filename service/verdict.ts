import type { Finding } from './finding.ts';

export type Judging = {
  /** Ids of findings that the operator accepts. */
  accept?: readonly string[];
  /** Whether warnings count as well. */
  strict?: boolean;
};

export type Verdict = {
  /** All findings, with `accepted` set. */
  findings: Finding[];
  /** 0: nothing to change; 1: something must be changed. */
  status: 0 | 1;
  /** Accepted ids without a finding: misspelt, or no longer needed. */
  unused: string[];
};

/** Evaluates findings: errors count, with `strict` also warnings, and accepted ones do not. */
export function judge(found: Finding[], { accept = [], strict = false }: Judging = {}): Verdict {
  const findings = found.map((one): Finding => (accept.includes(one.id) ? { ...one, accepted: true } : one));
  const counts = strict ? ['error', 'warning'] : ['error'];
  const open = findings.filter(({ severity, accepted }) => !accepted && counts.includes(severity));
  return {
    findings,
    status: open.length > 0 ? 1 : 0,
    unused: accept.filter((id) => !found.some((one) => one.id === id)),
  };
}
