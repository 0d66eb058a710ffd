import { join } from 'node:path';
import { VERSION_FILE } from '../nginx-setup/includes.ts';
import type { InstallResult } from '../nginx-setup/install.ts';
import type { PlannedFile } from '../nginx-setup/plan.ts';
import { textDiff } from './text-diff.ts';

const DONE: Record<PlannedFile['outcome'], string> = {
  new: 'written',
  changed: 'changed',
  unchanged: 'unchanged',
  kept: 'kept',
  obsolete: 'obsolete',
};
const TO_DO = { ...DONE, new: 'would write', changed: 'would change' };
const WIDTH = 14;

/** What was done, or with `dryRun` what would be: one line per changed file. */
export function installText(result: InstallResult, dir: string, dryRun: boolean): string {
  const { version, from, files, backup } = result;
  const words = dryRun ? TO_DO : DONE;
  const told = files.filter(({ outcome }) => outcome !== 'unchanged');
  const unchanged = files.length - told.length;
  const before = files.some((file) => file.before !== undefined);
  return [
    `hotitem ${version} in ${dir}${before && from !== version ? ` (before: ${from ?? 'of an unknown version'})` : ''}`,
    ...told.map((file) => `${words[file.outcome].padEnd(WIDTH)}${file.path}${remark(file, from)}`),
    ...(unchanged === 0 ? [] : [`${'unchanged'.padEnd(WIDTH)}${unchanged} files`]),
    ...(backup === undefined ? [] : ['', backupText(files, backup, dryRun)]),
    ...(dryRun ? ['', 'Nothing was written.'] : []),
    '',
  ].join('\n');
}

/** How each file would change. */
export async function installDiff({ files }: InstallResult): Promise<string> {
  // A list of checksums, which follow from the files.
  const changes = files.filter(
    ({ name, outcome }) => name !== VERSION_FILE && (outcome === 'changed' || outcome === 'new'),
  );
  const parts = await Promise.all(
    changes.map(({ path, before, after }) =>
      before === undefined ? `new file ${path}\n` : textDiff(path, before, after),
    ),
  );
  return parts.join('');
}

function remark({ outcome, edited, name }: PlannedFile, from: string | undefined): string {
  if (outcome === 'kept') return '  yours; the new one is beside it, with the ending .new';
  if (outcome === 'obsolete') return '  of an older version: remove it once nginx.conf no longer includes it';
  if (outcome !== 'changed' || name.endsWith('.new')) return '';
  if (edited === true) return '  was edited';
  return edited === undefined && from === undefined ? '  may have been edited' : '';
}

function backupText(files: PlannedFile[], backup: string, dryRun: boolean): string {
  const changed = files.filter(({ outcome }) => outcome === 'changed');
  const edited = changed.filter((file) => file.edited !== false).map(({ name }) => name);
  const kept = `${dryRun ? 'What is there would be' : 'What was there is'} kept in ${backup}.`;
  if (edited.length === 0) return kept;
  const [first = ''] = edited;
  const advice = `${kept} Set what you had changed in hotitem.yml (settings nginx.*)`;
  if (dryRun) return `${advice}: --diff shows it.`;
  return `${advice}:\n  diff -u ${join(backup, first)} ${changed.find(({ name }) => name === first)?.path}`;
}
