import type { Stats } from 'node:fs';

type Owned = Pick<Stats, 'uid' | 'gid' | 'mode'>;

const ROOT = 0;
const GROUP_WRITES = 0o020;
const OTHERS_WRITE = 0o002;

/** Why others than root and the user `uid` control a file or folder; undefined if nobody else does. */
export function whyForeign(stat: Owned, uid: number): string | undefined {
  return foreignOwner(stat, uid) ?? foreignWriters(stat, uid);
}

/** `belongs to the user 1000, neither root nor you (0)` */
export function foreignOwner({ uid: owner }: Owned, uid: number): string | undefined {
  if (owner === ROOT || owner === uid) return undefined;
  return `belongs to the user ${owner}, ${uid === ROOT ? 'not to root, who runs this' : `neither to root nor to you (${uid})`}`;
}

/** Whether its mode lets others change it. Group permissions matter only for root: most users have a group of their own. */
export function foreignWriters({ mode, gid }: Owned, uid: number): string | undefined {
  if ((mode & OTHERS_WRITE) !== 0) return 'can be changed by every user of this host';
  if (uid === ROOT && gid !== ROOT && (mode & GROUP_WRITES) !== 0)
    return `can be changed by the group ${gid}, and you are root`;
  return undefined;
}
