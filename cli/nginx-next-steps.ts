import { join } from 'node:path';
import { BATCH_FROM, compareVersions, NJS_FROM } from '../nginx-setup/program/version.ts';
import type { Config } from '../service/config/config.ts';
import { shellWord } from '../service/finding.ts';

/** The nginx that the steps are for. */
export type StepsNginx = {
  version: string;
  /** Undefined if it has none that works. */
  njs: string | undefined;
  /** The group of its workers; undefined if unknown, or if they are root. */
  group: string | undefined;
};

export const RELOAD = 'Check and apply: nginx -t && nginx -s reload\n';

const WIDTH = 58;

/** The includes of a transport, by context. */
const LINES = {
  batch: {
    http: ['http.conf', 'http-batch.conf'],
    server: ['server.conf'],
    location: 'capture-batch.conf',
    off: 'off-batch.conf in place of http.conf',
  },
  subrequest: {
    http: ['http.conf'],
    server: ['server.conf'],
    location: 'capture-subrequest.conf',
    off: 'off.conf in place of http.conf',
  },
  log: {
    http: ['http-log.conf'],
    server: [],
    location: 'capture-log.conf',
    off: 'off.conf in place of http-log.conf',
  },
} as const;

/** What to add to nginx.conf, as it fits this nginx; undefined: none was found. */
export function nextSteps(
  dir: string,
  { intake, spill }: Pick<Config, 'intake' | 'spill'>,
  nginx: StepsNginx | undefined,
): string {
  const { http, server, location, off } = LINES[transportOf(nginx)];
  const remarked = (text: string, about: string) => `${text.padEnd(WIDTH)} # ${about}`;
  const line = (indent: number, name: string) => `${' '.repeat(indent)}include ${join(dir, name)};`;
  const [first, ...more] = http;
  return [
    `Set which path shows which item in ${join(dir, 'items.conf')}. Then add to nginx.conf, ${fits(nginx)}:`,
    '',
    'http {',
    remarked(line(4, first), 'above your sites; Debian: in /etc/nginx/conf.d/hotitem.conf'),
    ...more.map((name) => line(4, name)),
    '    server {',
    ...server.map((name) => remarked(line(8, name), 'first in its server')),
    remarked('        location /item/ {', 'the location of your item pages'),
    remarked(line(12, location), 'above any rewrite or return of it'),
    '        }',
    '    }',
    '}',
    '',
    `To capture nothing: ${off}, and reload. So that nginx knows which items are hot: http-hot.conf in http,`,
    'server-hot.conf in the server, hot.conf in the location.',
    '',
    ...permissions({ intake, spill }, nginx?.group),
    `Start the sidecar (hotitem service install, or hotitem sidecar). ${RELOAD.trimEnd()}`,
    'Then hotitem check --nginx says what is missing.',
    '',
  ].join('\n');
}

function transportOf(nginx: StepsNginx | undefined): keyof typeof LINES {
  if (nginx === undefined) return 'batch';
  if (nginx.njs === undefined || isTooOld(nginx.njs)) return 'log';
  return compareVersions(nginx.njs, BATCH_FROM) >= 0 ? 'batch' : 'subrequest';
}

function fits(nginx: StepsNginx | undefined): string {
  if (nginx === undefined)
    return `for njs ${BATCH_FROM} or newer\n(no nginx was found here; with older njs leave out http-batch.conf and use capture-subrequest.conf, without njs: http-log.conf and capture-log.conf)`;
  const { version, njs } = nginx;
  const found = `as it fits the nginx ${version} found here`;
  if (njs === undefined)
    return `${found}, which has no njs that works\n(for the other transports: Debian's libnginx-mod-http-js, or nginx-module-njs of nginx.org)`;
  if (isTooOld(njs)) return `${found}: its njs ${njs} is older than ${NJS_FROM}, the oldest tested`;
  return `${found}, with njs ${njs}`;
}

function isTooOld(njs: string): boolean {
  return compareVersions(njs, NJS_FROM) < 0;
}

/** How its workers get access to the socket and the spill folder. */
function permissions(
  { intake, spill }: Pick<Config, 'intake' | 'spill'>,
  group: string | undefined,
): string[] {
  const paths = `the socket ${intake.socket} and the folder ${spill.dir}`;
  if (intake.socket_group !== undefined)
    return [
      `The sidecar gives the group ${intake.socket_group} access to ${paths}: nginx's workers must be in it.`,
    ];
  return [
    `nginx's workers need write access to ${paths}. Set their group in hotitem.yml and restart the sidecar:`,
    '',
    'intake:',
    `  socket_group: ${group ?? 'www-data    # nginx with the packages of nginx.org'}`,
    '',
    ...(group === undefined
      ? []
      : [
          `A folder that exists keeps its group: chgrp ${shellWord(group)} ${shellWord(spill.dir)} && chmod 2770 ${shellWord(spill.dir)}`,
        ]),
  ];
}
