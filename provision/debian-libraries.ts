import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ProvisionError } from './provision-error.ts';

/** The library folders of an unpacked tree. bookworm has libc under `lib`, later suites under `usr/lib`. */
export async function libraryFolders(tree: string): Promise<string[]> {
  const folders: string[] = [];
  for (const parent of ['usr/lib', 'lib']) {
    const names = await readdir(join(tree, parent)).catch(() => []);
    folders.push(
      ...names.filter((name) => /-linux-gnu\w*$/.test(name)).map((name) => join(tree, parent, name)),
    );
  }
  return folders;
}

/** The tree's program loader: with it a program runs on the tree's libc instead of the host's. */
export async function loaderOf(libraries: string[]): Promise<string> {
  for (const folder of libraries) {
    const loader = (await readdir(folder)).find((name) => /^ld-linux.*\.so\.\d+$/.test(name));
    if (loader !== undefined) return join(folder, loader);
  }
  throw new ProvisionError(`no program loader among ${libraries.join(', ')}`, {
    hint: 'Delete the folder and try again.',
  });
}
