import type { Finding } from './finding.ts';

export type Judging = {
  /** Ids of findings that the operator accepts. */
  accept?: readonly string[];
  /** Whether warnings count as well. */
  strict?: boolean;
};

export type Verdict = {
  /** What was found, with `accepted` where it is. */
  findings: Finding[];
  /** 0: nothing has to be changed; 1: something has. */
  status: 0 | 1;
  /** Accepted ids that nothing was found of: misspelt, or no longer needed. */
  unused: string[];
};

/** What an operator makes of findings: errors count, with `strict` warnings too, and what is accepted does not. */
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
