import { Trouble } from '../service/trouble.ts';
import { type InstallOptions, type InstallResult, installNginx, putBack } from './install.ts';
import { findUses, type NginxAsked, type Uses } from './uses.ts';

/**
 * Like `installNginx`. If nginx includes the folder and rejects the new files, restores the old ones and throws `Trouble` with nginx's
 * reason.
 */
export async function installTested(options: InstallOptions, nginx: NginxAsked): Promise<InstallResult> {
  const before = await usesOf(options.dir, nginx);
  const result = await installNginx(options);
  if (before === undefined || !before.accepted || before.uses.length === 0) return result;
  const after = await usesOf(options.dir, nginx);
  if (after === undefined || after.accepted) return result;
  await putBack(result.files.filter(({ outcome }) => outcome === 'new' || outcome === 'changed'));
  throw new Trouble(
    `nginx would not start with the new includes: ${after.complaint}`,
    'The old ones were restored. The settings nginx.* in hotitem.yml determine the includes; --diff shows what would change.',
  );
}

/** Undefined if there is no nginx to ask, for example while an image is built. */
function usesOf(dir: string, nginx: NginxAsked): Promise<Uses | undefined> {
  return findUses(dir, nginx).catch((error: unknown) => {
    if (error instanceof Trouble) return undefined;
    throw error;
  });
}
