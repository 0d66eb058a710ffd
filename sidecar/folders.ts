import { chmodSync, chownSync, mkdirSync, statSync } from 'node:fs';
import { groupId } from './group-id.ts';

export type FoldersOptions = {
  /** Folder of all state. */
  home: string;
  /** Folder in which the workers of nginx write. */
  spill: string;
  /** Group of those workers, where it is not our own. */
  group: string | undefined;
  warn: (key: string, message: string, fields?: object) => void;
};

const GROUP_WRITES = 0o030;

/**
 * Makes the folders that nginx' workers share with the sidecar, whatever the umask: they pass through `home` to the socket,
 * and write to `spill`. Folders that are there already are the operator's; he is warned when the group cannot write.
 */
export function makeFolders({ home, spill, group, warn }: FoldersOptions): void {
  make(home, 0o755);
  const gid = group === undefined ? undefined : groupId(group);
  // What is written there belongs to that group as well.
  if (make(spill, 0o2770)) {
    if (gid !== undefined) chownSync(spill, process.getuid?.() ?? 0, gid);
    return;
  }
  const found = statSync(spill);
  const writable = found.gid === gid && (found.mode & GROUP_WRITES) === GROUP_WRITES;
  if (gid !== undefined && !writable) {
    warn('spill folder', 'the group of intake.socket_group cannot write to the spill folder', {
      spill,
      group,
    });
  }
}

/** Returns whether it was not there before. */
function make(path: string, mode: number): boolean {
  const made = mkdirSync(path, { recursive: true }) !== undefined;
  if (made) chmodSync(path, mode);
  return made;
}
