import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from '../service/make-folder.ts';
import { replaceFile } from '../service/replace-file.ts';
import { Trouble } from '../service/trouble.ts';
import { type IncludeSettings, settingProblems } from './includes.ts';
import { type Plan, type PlannedFile, planInstall } from './plan.ts';
import { pathProblem } from './template.ts';

export type InstallOptions = IncludeSettings & {
  /** The folder for the includes and the scripts, absolute. Created if missing. */
  dir: string;
  /** Only report what would be written. */
  dryRun?: boolean;
  /** The time in the name of the backup. Default now. */
  at?: Date;
};

export type InstallResult = Plan & {
  /** The folder with the previous files; undefined if nothing was changed. */
  backup: string | undefined;
};

const FOLDER_MODE = 0o755;
const FILE_MODE = 0o644;

/**
 * Renders the includes for one nginx and writes them into `dir` with the scripts of both engines. Each file is written atomically, in an
 * order in which nginx can start at any moment. Files that change are copied into a folder of `dir/backup` first. An existing
 * `items.conf` is never overwritten. Safe to repeat.
 * Throws a `Trouble`, before anything is written, on a value that nginx would misread or a missing bundle.
 */
export async function installNginx({
  dir,
  dryRun = false,
  at = new Date(),
  ...settings
}: InstallOptions): Promise<InstallResult> {
  refuse([pathProblem('dir', dir) ?? sweptProblem(dir), ...settingProblems(settings)]);
  const plan = await planInstall(dir, settings);
  const changed = plan.files.filter(({ outcome }) => outcome === 'changed');
  const backup = changed.length === 0 ? undefined : join(dir, 'backup', nameOf(at));
  if (!dryRun) {
    if (backup !== undefined) await keepBefore(backup, changed);
    for (const { path, after, outcome } of plan.files) {
      if (outcome === 'new' || outcome === 'changed') await putFile(path, after);
    }
  }
  return { ...plan, backup };
}

/** The previous files, the last written first. */
export async function putBack(files: { path: string; before: string | undefined }[]): Promise<void> {
  for (const { path, before } of files.toReversed()) {
    if (before === undefined) await rm(path, { force: true });
    else await putWhole(path, before);
  }
}

/** Folders whose files nginx.conf usually includes all in one block; our files belong to different blocks. */
const SWEPT = ['conf.d', 'default.d', 'modules-enabled', 'sites-enabled', 'vhosts.d'];

function sweptProblem(dir: string): string | undefined {
  const name = basename(dir);
  if (!SWEPT.includes(name)) return undefined;
  return `dir: nginx.conf includes all files of a folder ${name} in one block, and would reject hotitem's (got ${JSON.stringify(dir)}); use ${JSON.stringify(join(dirname(dir), 'hotitem'))}`;
}

/** Throws one `Trouble` that names all problems, if there are any. */
export function refuse(problems: (string | undefined)[]): void {
  const found = problems.filter((problem) => problem !== undefined);
  if (found.length === 0) return;
  throw new Trouble(found.join('\n'), 'Choose another value. Nothing was written.');
}

/** Writes a file that nginx reads, and creates its folder if needed. */
async function putFile(path: string, text: string): Promise<void> {
  makeFolder(dirname(path), FOLDER_MODE);
  await putWhole(path, text);
}

/** Writes a file that nginx reads. */
export function putWhole(path: string, text: string): Promise<void> {
  return replaceFile(path, text, { mode: FILE_MODE, durable: true });
}

async function keepBefore(folder: string, files: PlannedFile[]): Promise<void> {
  for (const { name, before } of files) {
    if (before !== undefined) await putFile(join(folder, name), before);
  }
}

/** `2026-11-26T17-20-00Z`: some tools do not accept colons in file names. */
function nameOf(at: Date): string {
  return at.toISOString().replace(/\.\d+/, '').replaceAll(':', '-');
}
