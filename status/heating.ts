import type { Finding } from '../service/finding.ts';
import type { StatusFacts } from './facts.ts';

export type Heating = {
  /** What does not work, and what is meant to be so. */
  wrong: Finding[];
  notes: Finding[];
};

/** Whether what is hot is found, and shown to nginx. */
export function heating({ sidecar }: StatusFacts): Heating {
  const heat = 'accounts' in sidecar ? sidecar.accounts.heat : undefined;
  if (heat === undefined) return { wrong: [], notes: [] };
  const { frozen, failure, rulesProblems } = heat;
  return {
    wrong: [
      ...(rulesProblems.length === 0 ? [] : [rulesFinding(rulesProblems)]),
      ...(failure === undefined ? [] : [folderFinding(failure)]),
    ],
    notes: frozen ? [FROZEN] : [],
  };
}

const FROZEN: Finding = {
  id: 'hot-list-frozen',
  severity: 'note',
  what: 'the hot list is frozen: nginx sees no hot item',
  why: 'somebody said so; hotitem hot list says who and why',
  fix: 'thaw it when the reason is gone',
  command: 'hotitem hot thaw',
};

function rulesFinding(problems: string[]): Finding {
  return {
    id: 'heat-rules',
    severity: 'warning',
    what: `the rules for hot items cannot be used: ${problems.join('; ')}`,
    why: 'the rules before it stay in force',
    fix: 'mend the file that heat.rules names: it is read again within a second',
  };
}

function folderFinding(failure: string): Finding {
  return {
    id: 'hot-list-unwritten',
    severity: 'warning',
    what: `nginx does not see what is hot: ${failure}`,
    why: 'the sidecar cannot write the folder that heat.dir names',
    fix: 'make it a folder of the user of the sidecar, with nothing else in it',
  };
}
