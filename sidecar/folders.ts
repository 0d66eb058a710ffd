import { statSync } from 'node:fs';
import { makeFolder } from '../service/make-folder.ts';
import { explainGroup, groupId } from './socket/group-id.ts';

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
  makeFolder(home, 0o755);
  const gid = group === undefined ? undefined : groupId(group);
  // What is written there belongs to that group as well.
  const made = makeSpill(spill, group, gid);
  if (made || gid === undefined) return;
  const found = statSync(spill);
  if (found.gid === gid && (found.mode & GROUP_WRITES) === GROUP_WRITES) return;
  warn('spill folder', 'the group of intake.socket_group cannot write to the spill folder', {
    spill,
    group,
  });
}

function makeSpill(spill: string, group = '', gid = -1): boolean {
  try {
    return makeFolder(spill, 0o2770, { uid: -1, gid });
  } catch (error) {
    throw explainGroup(error, group);
  }
}
