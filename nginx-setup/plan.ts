import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../service/error-code.ts';
import { PACKAGE_ROOT } from '../service/package-root.ts';
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
import { installedVersion, isEdited, readInstalled, withSums } from './install-version.ts';

export type PlannedFile = {
  name: string;
  path: string;
  /** The current text; undefined if there is no file. */
  before: string | undefined;
  /** The new text; unchanged if the file is the operator's. */
  after: string;
  /** `kept`: edited by the operator. `obsolete`: a file of an older version, which nginx.conf may still include. */
  outcome: 'new' | 'changed' | 'unchanged' | 'kept' | 'obsolete';
  /** Whether it was edited after hotitem wrote it; undefined if unknown. */
  edited: boolean | undefined;
};

export type Plan = {
  version: string;
  /** The version that wrote the current files. */
  from: string | undefined;
  /** In the order in which they are written. */
  files: PlannedFile[];
};

/**
 * What `hotitem nginx install` has to do in a folder. Writes nothing. Throws a `Trouble` if a bundle is missing.
 */
export async function planInstall(dir: string, settings: IncludeSettings): Promise<Plan> {
  const version = await installedVersion();
  const installed = await readInstalled(dir);
  const includes = await Promise.all(
    INCLUDE_FILES.map(async (name) => ({
      name,
      text: await renderInclude(name, { dir, settings, version }),
    })),
  );
  const scripts = await Promise.all(
    SCRIPT_FILES.map(async (name) => ({ name, text: await builtScript(name) })),
  );
  const theirs = await Promise.all(
    OWN_FILES.map(async (name) => ({
      name,
      text: await nginxTemplate(name),
      found: await readIfThere(join(dir, name)),
    })),
  );
  const own = [...scripts, ...includes];
  const head = await renderInclude(VERSION_FILE, { dir, settings, version });

  const obsolete = await obsoleteFiles();
  const all = [...own, ...theirs, ...obsolete.map(({ name, after }) => ({ name, text: after }))];
  const versionFile = { name: VERSION_FILE, text: withSums(head, all) };
  const kept = theirs.filter(({ text, found }) => found !== undefined && found !== text);
  const files = await Promise.all([
    planned(versionFile),
    ...theirs.filter((file) => !kept.includes(file)).map(planned),
    ...own.map(planned),
  ]);
  for (const { name, text, found = '' } of kept)
    files.push(untouched(name, found, 'kept'), await planned({ name: `${name}.new`, text }));
  return { version, from: installed.version, files: [...files, ...obsolete] };

  async function planned({ name, text }: { name: string; text: string }): Promise<PlannedFile> {
    const path = join(dir, name);
    const before = await readIfThere(path);
    const outcome = before === undefined ? 'new' : before === text ? 'unchanged' : 'changed';
    const edited = before === undefined || name === VERSION_FILE ? false : isEdited(installed, name, before);
    return { name, path, before, after: text, outcome, edited };
  }

  function untouched(name: string, text: string, outcome: PlannedFile['outcome']): PlannedFile {
    return { name, path: join(dir, name), before: text, after: text, outcome, edited: undefined };
  }

  async function obsoleteFiles(): Promise<PlannedFile[]> {
    const names = [...installed.sums.keys()].filter(
      (name) => !OWN_FILES.includes(name) && !own.some((file) => file.name === name),
    );
    const found = await Promise.all(
      names.map(async (name) => ({ name, text: await readIfThere(join(dir, name)) })),
    );
    return found.flatMap(({ name, text }) => (text === undefined ? [] : [untouched(name, text, 'obsolete')]));
  }
}

async function builtScript(name: string): Promise<string> {
  const path = join(PACKAGE_ROOT, 'dist', 'nginx', name);
  const text = await readIfThere(path);
  if (text !== undefined) return text;
  throw new Trouble(`${path} is missing`, 'Build it first: npm run build');
}

/** Throws the error of the file system if an existing file cannot be read. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
