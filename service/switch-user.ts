import { reasonOf } from './log.ts';
import { Trouble } from './trouble.ts';

export type Identity = { uid: number; gid: number; groups: number[] };

/**
 * Switches this process to another user permanently. Needs root. Throws a `Trouble` where Node refuses: that of Debian trixie does, because
 * its libuv might use io_uring, which would keep root's rights (CVE-2024-22017). Then nothing was changed.
 */
export function switchUser({ uid, gid, groups }: Identity, command: string): void {
  try {
    process.setgroups?.(groups);
  } catch (error) {
    if (!reasonOf(error).includes('io_uring')) throw error;
    throw new Trouble(
      `Node ${process.version} of this host refuses to switch to another user (${reasonOf(error)})`,
      `setpriv --reuid=${uid} --regid=${gid} --groups=${groups.join(',')} ${command}`,
    );
  }
  process.setgid?.(gid);
  process.setuid?.(uid);
}
