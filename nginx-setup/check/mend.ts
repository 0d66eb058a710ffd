import { dirname } from 'node:path';
import { type Place, shellWord } from '../../service/finding.ts';
import type { Site } from '../conf/site.ts';

/** Reloads nginx, if it accepts the configuration. */
export const RELOAD = 'nginx -t && nginx -s reload';

/** The folder of the first of our includes in the configuration; undefined if there is none. */
export function includeFolder({ ours }: Pick<Site, 'ours'>): string | undefined {
  const path = ours[0]?.file.path;
  return path === undefined ? undefined : dirname(path);
}

/** The command that writes the includes again, with the current settings; to be spread into a finding. */
export function installAgain(site: Pick<Site, 'ours'>): { command?: string } {
  const dir = includeFolder(site);
  return dir === undefined ? {} : { command: installInto(dir) };
}

/** The command that writes the includes into a folder. */
export function installInto(dir: string): string {
  return `hotitem nginx install --dir ${shellWord(dir)} && ${RELOAD}`;
}

/** The command that names another include in a line of nginx.conf. */
export function otherInclude({ file, line }: Place, from: string, to: string): string {
  return `sed -i --follow-symlinks '${line}s/${from.replaceAll('.', '\\.')}/${to}/' ${shellWord(file)} && ${RELOAD}`;
}

/** The command that puts a line at the top of a file. */
export function topLine(file: string, text: string): string {
  return `sed -i --follow-symlinks '1i ${text}' ${shellWord(file)} && ${RELOAD}`;
}
