import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Trouble } from '../service/trouble.ts';
import {
  INCLUDE_FILES,
  type IncludeSettings,
  nginxTemplate,
  OWN_FILES,
  renderInclude,
  SCRIPT_FILES,
  VERSION_FILE,
} from './includes.ts';
import { inertIncludes } from './inert.ts';
import { putBack, putWhole } from './install.ts';
import { type Installed, installedVersion, isEdited, readInstalled, withSums } from './install-version.ts';
import { findUses, type NginxAsked, type Use } from './uses.ts';

export type RemoveOptions = IncludeSettings & {
  dir: string;
  /** The nginx that may include it, and its nginx.conf; undefined if this host has none. */
  nginx: NginxAsked | undefined;
  /** Whether to remove the operator's own files, too. */
  purge?: boolean;
};

/** `inUse`: nginx.conf still includes the folder, whose files are now inert. `removed`: all files except `kept` are deleted. */
export type RemoveResult = { inUse: Use[] } | { removed: number; kept: string[] };

/** Files that an operator created from our examples, and backups. */
const OWN = ['privacy.conf', 'realip.conf', 'backup'];

/**
 * Removes the includes of a folder, in two steps if nginx.conf includes them. The first makes them inert, so that the include lines can
 * be removed in any order while nginx runs; the second deletes them when no line is left. Throws `Trouble` if the folder has no includes,
 * or if nginx would not start with the inert files, which are then reverted.
 */
export async function removeIncludes(options: RemoveOptions): Promise<RemoveResult> {
  const { dir, nginx, purge = false } = options;
  const there = await readdir(dir).catch(() => []);
  const known = [VERSION_FILE, ...INCLUDE_FILES, ...(purge ? [...OWN_FILES, ...OWN] : [])];
  if (!there.some((name) => known.includes(name)))
    throw new Trouble(`${dir} contains no includes of hotitem`, 'Set their folder with --dir.');
  if (nginx === undefined) return deleteFiles(dir, purge);
  const { uses, accepted } = await findUses(dir, nginx);
  if (uses.length === 0) return deleteFiles(dir, purge);
  await silence(options, { nginx, there, accepted });
  return { inUse: uses };
}

type Silencing = { nginx: NginxAsked; there: string[]; accepted: boolean };

async function silence(
  { dir, nginx: _, purge: __, ...settings }: RemoveOptions,
  { nginx, there, accepted }: Silencing,
): Promise<void> {
  const inert = (await inertIncludes(dir, settings)).filter(({ name }) => there.includes(name));
  const version = await installedVersion();
  const head = await renderInclude(VERSION_FILE, { dir, settings, version });
  const theirs = await Promise.all(
    OWN_FILES.map(async (name) => ({ name, text: await nginxTemplate(name) })),
  );
  const files = [...inert, { name: VERSION_FILE, text: withSums(head, [...inert, ...theirs]) }];
  const before = await Promise.all(
    files.map(async ({ name }) => ({
      name,
      text: await readFile(join(dir, name), 'utf8').catch(() => undefined),
    })),
  );
  for (const { name, text } of files) await putWhole(join(dir, name), text);
  const after = await findUses(dir, nginx);
  if (after.accepted || !accepted) return;
  await putBack(before.map(({ name, text }) => ({ path: join(dir, name), before: text })));
  throw new Trouble(
    `nginx would not start without what the includes define: ${after.complaint}`,
    'Fix that first; nothing was changed.',
  );
}

async function deleteFiles(dir: string, purge: boolean): Promise<RemoveResult> {
  const installed = await readInstalled(dir);
  const edited = purge ? [] : await editedFiles(dir, installed);
  const names = [
    ...INCLUDE_FILES,
    ...SCRIPT_FILES,
    ...installed.sums.keys(),
    ...OWN_FILES.flatMap((name) => [name, `${name}.new`]),
    ...(purge ? OWN : []),
  ].filter((name) => !edited.includes(name));
  const there = await readdir(dir);
  const ours = [...new Set(names)].filter((name) => there.includes(name));
  for (const name of ours) await rm(join(dir, name), { recursive: true, force: true });
  // Last: an interrupted removal continues with it.
  await rm(join(dir, VERSION_FILE), { force: true });
  const kept = await readdir(dir);
  if (kept.length === 0) await rmdir(dir);
  return {
    removed: ours.length + Number(there.includes(VERSION_FILE)),
    kept: kept.map((name) => join(dir, name)),
  };
}

/** Those of the operator's files that differ from what we wrote. */
async function editedFiles(dir: string, installed: Installed): Promise<string[]> {
  const files = await Promise.all(
    OWN_FILES.map(async (name) => ({
      name,
      text: await readFile(join(dir, name), 'utf8').catch(() => ''),
      ours: await nginxTemplate(name),
    })),
  );
  return files
    .filter(({ name, text, ours }) => isEdited(installed, name, text) !== false && text !== ours)
    .map(({ name }) => name);
}
