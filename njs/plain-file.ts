// biome-ignore lint/style/useNodejsImportProtocol: njs knows it by this name alone
import fs from 'fs';

/**
 * Whether this is a regular file, not a link or a pipe: opening a pipe would block this worker with all its pages. A process that swaps the
 * file between this check and the opening has the workers' user, and could stop them with a signal anyway.
 */
export function isPlainFile(path: string): boolean {
  try {
    return fs.lstatSync(path).isFile();
  } catch {
    return false;
  }
}

export function isThere(path: string): boolean {
  try {
    fs.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
