import { installInto } from '../nginx-setup/check/mend.ts';
import type { Finding } from '../service/finding.ts';
import type { Service } from './ask-service.ts';
import { type Clause, capturing } from './capturing.ts';
import { delivering } from './delivering.ts';
import type { StatusFacts } from './facts.ts';
import { cataloguing, heating } from './heating.ts';
import { losing, uncounted } from './losing.ts';
import { telling } from './telling.ts';

export type Verdict = {
  /** One line: whether it captures, whether it delivers, what was lost since when and why. */
  line: string;
  findings: Finding[];
  /** Whether events get from the spool into the index. */
  isDelivered: boolean;
  /** 0: all is well. 1: something does not work. 3: views were lost. */
  status: 0 | 1 | 3;
};

export function verdictOf(facts: StatusFacts): Verdict {
  const captures = captureOf(facts);
  const delivers = delivering(facts);
  const loses = losing(facts);
  const heats = heating(facts);
  const versions = [
    ...versionFinding('sidecar', facts.sidecar, facts.installed),
    ...(facts.sink === undefined ? [] : versionFinding('sink', facts.sink, facts.installed)),
    ...includesFinding(facts),
  ];
  const wrong = [
    ...captures.findings,
    ...delivers.findings,
    ...heats.wrong,
    ...telling(facts),
    ...cataloguing(facts),
  ];
  return {
    line: [captures, delivers, loses].map(({ text }) => text).join('; '),
    findings: [...wrong, ...loses.findings, ...versions, ...heats.notes, ...uncounted(facts)],
    isDelivered: delivers.isDelivered,
    status: loses.findings.length > 0 ? 3 : wrong.length > 0 ? 1 : 0,
  };
}

function captureOf({ sidecar }: StatusFacts): Clause {
  if ('problem' in sidecar) {
    const { problem, hint } = sidecar;
    return {
      text: problem,
      findings: [
        {
          id: 'sidecar-unavailable',
          severity: 'error',
          what: problem,
          why: 'nginx spills while no sidecar listens, until the spill folder is full',
          fix: hint,
          command: 'systemctl start hotitem-sidecar',
        },
      ],
    };
  }
  const { nginx, sidecar: books, about } = sidecar.accounts;
  // Missing if the process has an older version.
  if (nginx === undefined) return { text: 'unknown whether nginx captures', findings: [] };
  return capturing(nginx, books?.received ?? 0, about?.now ?? nginx.accounts?.reportedAt ?? 0);
}

function versionFinding(name: string, service: Service, installed: string): Finding[] {
  if (!('accounts' in service)) return [];
  const running = service.accounts.about?.version;
  if (running === installed) return [];
  return [
    {
      id: `${name}-version`,
      severity: 'warning',
      what: `the ${name} runs ${running ?? 'an older version'}, ${installed} is installed`,
      why: 'it was not restarted after the upgrade',
      fix: 'restart it',
      command: `systemctl restart hotitem-${name}`,
    },
  ];
}

function includesFinding({ sidecar, installed, places }: StatusFacts): Finding[] {
  const instances = 'accounts' in sidecar ? (sidecar.accounts.nginx?.accounts?.instances ?? []) : [];
  const other = instances.find(({ release }) => release !== installed);
  if (other === undefined) return [];
  return [
    {
      id: 'includes-version',
      severity: 'warning',
      what: `nginx runs the includes of ${other.release ?? 'an older version'}, ${installed} is installed`,
      why: 'the includes were not installed again, or nginx was not reloaded, after the upgrade',
      fix: 'install them again, and reload nginx',
      command: installInto(places.includes),
    },
  ];
}
