import { statSync } from 'node:fs';
import { makeFolder } from '../service/make-folder.ts';
import { explainGroup, groupId } from './socket/group-id.ts';

export type FoldersOptions = {
  /** Folder of all state. */
  home: string;
  /** Folder that nginx's workers write to. */
  spill: string;
  /** Group of the workers, if it differs from that of this process. */
  group: string | undefined;
  warn: (key: string, message: string, fields?: object) => void;
};

const GROUP_WRITES = 0o030;

/**
 * Creates the folders that nginx's workers share with the sidecar, whatever the umask: they traverse `home` to reach the socket, and write
 * to `spill`. Existing folders belong to the operator; a warning is logged if the group cannot write to them.
 */
export function makeFolders({ home, spill, group, warn }: FoldersOptions): void {
  makeFolder(home, 0o755);
  const gid = group === undefined ? undefined : groupId(group);
  // setgid: new files get that group as well.
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
