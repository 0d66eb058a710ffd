import { accessSync, constants } from 'node:fs';
import { codeOf } from '../service/error-code.ts';
import { foreignOwner } from '../service/ownership.ts';
import { Trouble } from '../service/trouble.ts';
import { type StateFolders, statePlaces } from './state-places.ts';

/**
 * Requires, before anything is written, that the existing state of a service belongs to the user who runs it, or to root: another owner
 * could redirect writes, for example with a link. Throws a `Trouble` with a hint.
 */
export function requireOwnState(config: StateFolders, user = process.getuid?.() ?? 0): void {
  const places = statePlaces(config);
  for (const { path, stats } of places) {
    const stat = stats.find((one) => foreignOwner(one, user) !== undefined);
    if (stat === undefined) continue;
    throw new Trouble(
      `${path} ${foreignOwner(stat, user)}: hotitem does not write there`,
      `Run it as that user${user === 0 ? ` (hotitem sidecar and sink: --user ${stat.uid})` : ''}, or chown it to the user who runs this, or set another folder: --home.`,
    );
  }
  for (const { path } of places) {
    const failure = whyNotWritable(path);
    if (failure === 'EROFS')
      throw new Trouble(
        `${path} is on a read-only file system`,
        'mount -o remount,rw makes it writable; the kernel mounts a damaged disk read-only (dmesg). Or set another folder: --home.',
      );
    // For example after a start as root by mistake.
    if (failure !== undefined)
      throw new Trouble(
        `${path}: the user ${user}, who runs this, cannot write there`,
        `chown -R ${user} ${config.home}, or run this as its owner.`,
      );
  }
}

function whyNotWritable(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return codeOf(error) ?? 'unknown';
  }
}
