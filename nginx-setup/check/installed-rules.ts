import { dirname } from 'node:path';
import { type Finding, placeOf } from '../../service/finding.ts';
import type { OurInclude } from '../conf/site.ts';
import { SCRIPT_FILES } from '../includes.ts';
import { type Plan, type PlannedFile, planInstall } from '../plan.ts';
import type { Facts } from './facts.ts';
import { installInto } from './mend.ts';
import { saysTheSame } from './same-text.ts';

/** Whether the included files are those of this version with the current settings; if not, whether hotitem or somebody else changed them. */
export async function installedFindings({ site, sidecar }: Facts): Promise<Finding[]> {
  const own = site.ours.filter(({ include }) => !include.yours);
  const folders = [...new Set(own.map(({ file }) => dirname(file.path)))];
  const found = await Promise.all(
    folders.map(async (dir) => {
      const plan = await planInstall(dir, sidecar).catch(() => undefined);
      if (plan === undefined) return [];
      const used = own.filter(({ file }) => dirname(file.path) === dir);
      return inFolder(dir, used, { ...plan, files: plan.files.filter(isUsed) });

      function isUsed({ name }: PlannedFile): boolean {
        return used.some((ours) => ours.name === name) || SCRIPT_FILES.includes(name);
      }
    }),
  );
  return found.flat();
}

function inFolder(dir: string, used: OurInclude[], { version, from, files }: Plan): Finding[] {
  const differing = files.filter(differs);
  const edited = differing.filter((file) => file.edited === true);
  const untouched = differing.filter((file) => file.edited !== true);
  const findings: Finding[] = edited.map((file) => ({
    id: 'include-edited',
    severity: 'note',
    what: `${file.name} was edited after hotitem ${from} wrote it`,
    ...place(file),
    why: 'the next hotitem nginx install overwrites it, and keeps a copy in the folder backup',
    fix: 'set what you changed in hotitem.yml (settings nginx.*); hotitem nginx install --diff shows what it would revert',
    command: installInto(dir),
  }));
  const [first] = untouched;
  if (first === undefined) return findings;
  const names = untouched.map(({ name }) => name).join(', ');
  return [
    ...findings,
    {
      ...(from === version
        ? {
            id: 'include-settings',
            what: `differ from the configuration: ${names}`,
            why: 'settings were changed after hotitem wrote them: nginx does not use the new values',
          }
        : {
            id: 'include-old',
            what: `of ${from === undefined ? 'an older hotitem, or edited' : `hotitem ${from}`}, and this is ${version}: ${names}`,
            why: 'nginx does not use the improvements of this version',
          }),
      severity: 'warning',
      ...place(first),
      fix: 'write them again (--diff shows the changes), and reload nginx',
      command: installInto(dir),
    },
  ];

  function place({ name }: PlannedFile) {
    const include = used.find((ours) => ours.name === name) ?? used[0];
    return include && { where: placeOf(include.directive) };
  }
}

function differs({ name, before, after, outcome }: PlannedFile): boolean {
  if (outcome === 'new') return true;
  if (outcome !== 'changed' || before === undefined) return false;
  return SCRIPT_FILES.includes(name) || !saysTheSame(before, after);
}
