import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { obstacle } from '../nginx-setup/conf/worker.ts';
import type { Config } from '../service/config/config.ts';
import { type Finding, shellWord } from '../service/finding.ts';
import { reasonOf } from '../service/log.ts';
import type { ServiceUser } from './service-user.ts';

/** Whether the current user can read the configured certificates, and they are valid. */
export async function certificateFindings(
  config: Config,
  user: ServiceUser,
  now: number,
): Promise<Finding[]> {
  const files = [
    { setting: 'kafka.ca_file', path: config.kafka.ca_file },
    { setting: 'elasticsearch.ca_file', path: config.elasticsearch.ca_file },
  ];
  const found = await Promise.all(
    files.map(({ setting, path }) =>
      path === undefined ? undefined : findingOf({ setting, path, user, now }),
    ),
  );
  return found.filter((one) => one !== undefined);
}

type File = { setting: string; path: string; user: ServiceUser; now: number };

async function findingOf({ setting, path, user, now }: File): Promise<Finding | undefined> {
  const why = 'TLS connections accept only certificates signed by this CA';
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return {
      id: 'certificate-unreadable',
      severity: 'error',
      what: `the user ${user.name} cannot read ${setting}: ${reasonOf(error)}`,
      why: (await obstacle({ uid: user.uid, gids: [user.gid, ...user.groups] }, path, ['read'])) ?? why,
      fix: 'give the group of the service read access to the file, and x on its parent folders',
      command: await readableBy(path, user),
    };
  }
  const end = endOf(text);
  if (end !== undefined && end > now) return undefined;
  return {
    id: end === undefined ? 'certificate-invalid' : 'certificate-expired',
    severity: 'error',
    what: `${setting}: ${path} ${end === undefined ? 'holds no certificate (PEM)' : `expired at ${new Date(end).toISOString()}`}`,
    why,
    fix: 'get the CA certificate again and store it there',
    command: `openssl x509 -in ${shellWord(path)} -noout -subject -enddate`,
  };
}

/** The command that gives the group of the service read access, and nothing more. */
async function readableBy(path: string, { gid, uid, groups }: ServiceUser): Promise<string> {
  const folders: string[] = [];
  const ids = { uid, gids: [gid, ...groups] };
  for (let at = dirname(path), last = ''; at !== last; last = at, at = dirname(at)) {
    const barrier = await obstacle(ids, `${at}/x`, []);
    if (barrier?.startsWith(`${at} `)) folders.push(at);
  }
  const open = folders.map((folder) => `chmod o+x ${shellWord(folder)}`);
  // Unknown if a parent folder is closed.
  if (folders.length === 0 && !existsSync(path)) return `ls -l ${shellWord(dirname(path))}`;
  return [...open, `chgrp ${gid} ${shellWord(path)}`, `chmod g+r ${shellWord(path)}`].join(' && ');
}

/** When the first certificate expires, ms since 1970; undefined if the file has none. */
function endOf(pem: string): number | undefined {
  try {
    return Date.parse(new X509Certificate(pem).validTo);
  } catch {
    return undefined;
  }
}
