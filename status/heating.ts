import type { Finding } from '../service/finding.ts';
import type { StatusFacts } from './facts.ts';

export type Heating = {
  /** Problems of heat detection, and notes on a state that was set on purpose. */
  wrong: Finding[];
  notes: Finding[];
};

/** Whether hot items are detected and shown to nginx. */
export function heating({ sidecar }: StatusFacts): Heating {
  const heat = 'accounts' in sidecar ? sidecar.accounts.heat : undefined;
  if (heat === undefined) return { wrong: [], notes: [] };
  const { frozen, failure, keeperFailure, rulesProblems } = heat;
  return {
    wrong: [
      ...(rulesProblems.length === 0 ? [] : [rulesFinding(rulesProblems)]),
      ...(failure === undefined ? [] : [folderFinding(failure)]),
      ...(keeperFailure === undefined ? [] : [keeperFinding(keeperFailure)]),
    ],
    notes: frozen ? [FROZEN] : [],
  };
}

const FROZEN: Finding = {
  id: 'hot-list-frozen',
  severity: 'note',
  what: 'the hot list is frozen: nginx sees no hot item',
  why: 'an operator froze it; hotitem hot list shows who and why',
  fix: 'thaw it when the reason no longer applies',
  command: 'hotitem hot thaw',
};

function rulesFinding(problems: string[]): Finding {
  return {
    id: 'heat-rules',
    severity: 'warning',
    what: `the rules for hot items are invalid: ${problems.join('; ')}`,
    why: 'the previous rules stay in effect',
    fix: 'correct the file that heat.rules names: it is reloaded within a second',
  };
}

function folderFinding(failure: string): Finding {
  return {
    id: 'hot-list-unwritten',
    severity: 'warning',
    what: `nginx does not see hot items: ${failure}`,
    why: 'the sidecar cannot write the folder that heat.dir names',
    fix: 'make it a folder of the user of the sidecar, with nothing else in it',
  };
}

function keeperFinding(failure: string): Finding {
  return {
    id: 'keeper-unreachable',
    severity: 'warning',
    what: `no page of a hot item is cached: ${failure}`,
    why: 'the sidecar asks for such pages on the address that nginx.keeper names, and nginx does not answer there as it should',
    fix: 'include server-protect.conf and that listen in the server of the pages',
    command: 'hotitem check --nginx',
  };
}
