import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Finding } from '../../service/finding.ts';
import { obstacle, type Worker } from '../conf/worker.ts';

const NOBODY_ELSE = 0o011;

/**
 * Whether the workers of this host's nginx may enter every existing folder above the files that they write. Where they are not known, only
 * folders that nobody but their owner may enter are reported.
 */
export async function wayFindings(
  paths: Record<string, string>,
  worker: Worker | undefined,
): Promise<Finding[]> {
  const found = await Promise.all(
    Object.entries(paths).map(async ([setting, path]): Promise<Finding[]> => {
      const barrier = worker?.ids ? await obstacle(worker.ids, path, []) : await closedFolder(path);
      if (barrier === undefined) return [];
      return [
        {
          id: 'way-closed',
          severity: 'warning',
          what: `nginx's workers${worker === undefined ? '' : ` (${worker.name})`} cannot reach ${path}`,
          why: `${barrier} denies access: no view would be captured`,
          fix: `grant access (chmod o+x), or move ${setting} elsewhere`,
        },
      ];
    }),
  );
  return found.flat();
}

async function closedFolder(path: string): Promise<string | undefined> {
  for (let at = dirname(path), last = ''; at !== last; last = at, at = dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found !== undefined && (found.mode & NOBODY_ELSE) === 0) return at;
  }
  return undefined;
}
