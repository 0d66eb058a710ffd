import { stat } from 'node:fs/promises';
import { reasonOf } from './log.ts';

/**
 * A fingerprint that changes when the file does: inode, size and times, which works on every file system, and for programs that write in
 * place as well as those that replace the file. The reason if the file cannot be looked at.
 */
export async function signOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return reasonOf(error);
  }
}
