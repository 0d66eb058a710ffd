import { join } from 'node:path';
import { libraryFolders, loaderOf } from './debian-libraries.ts';

/** The command that runs a program of an unpacked tree with the tree's own libraries: the program and its first arguments. */
export async function privateProgram(tree: string, program: string): Promise<string[]> {
  const libraries = await libraryFolders(tree);
  return [await loaderOf(libraries), '--library-path', libraries.join(':'), join(tree, program)];
}
