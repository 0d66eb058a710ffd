import type { Finding } from '../service/finding.ts';
import type { StatusFacts } from './facts.ts';

export type Heating = {
  /** Problems of heat detection, and notes on a state that was set on purpose. */
  wrong: Finding[];
  notes: Finding[];
};

/** Whether the catalogue is in effect, in the sidecar and in the sink of this host. */
export function cataloguing({ sidecar, sink }: StatusFacts): Finding[] {
  return [sidecar, sink].flatMap((service) => {
    if (service === undefined || !('accounts' in service)) return [];
    const { failure, rows } = service.accounts.catalogue ?? {};
    return failure === undefined ? [] : [catalogueFinding(service.at, failure, rows ?? 0)];
  });
}

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

function catalogueFinding(at: string, failure: string, rows: number): Finding {
  const none = 'items have no names, and catalogue_only and category in rules for hot items have no effect';
  return {
    id: 'catalogue',
    severity: 'warning',
    what: `the catalogue cannot be used by ${at}: ${failure}`,
    why: rows === 0 ? none : `the one before it stays in effect, with ${rows} items`,
    fix: 'correct the file in catalogue.file: it is loaded again when it changes',
    command: 'hotitem check',
  };
}

function rulesFinding(problems: string[]): Finding {
  return {
    id: 'heat-rules',
    severity: 'warning',
    what: `the rules for hot items are invalid: ${problems.join('; ')}`,
    why: 'the previous rules stay in effect',
    fix: 'correct the file in heat.rules: it is reloaded within a second',
  };
}

function folderFinding(failure: string): Finding {
  return {
    id: 'hot-list-unwritten',
    severity: 'warning',
    what: `nginx does not see hot items: ${failure}`,
    why: 'the sidecar cannot write to the folder heat.dir',
    fix: 'use a folder that belongs to the user of the sidecar, with no other files in it',
  };
}

function keeperFinding(failure: string): Finding {
  return {
    id: 'keeper-unreachable',
    severity: 'warning',
    what: `pages of hot items are not cached: ${failure}`,
    why: 'the sidecar requests these pages at nginx.keeper, but nginx does not answer there as expected',
    fix: 'include server-protect.conf and that listen in the server of the pages',
    command: 'hotitem check --nginx',
  };
}
