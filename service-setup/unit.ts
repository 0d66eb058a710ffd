import type { Config } from '../service/config/config.ts';
import { Trouble } from '../service/trouble.ts';
import {
  type FolderSettings,
  type Role,
  runName,
  type ServiceFolders,
  serviceFolders,
  stateName,
} from './folders.ts';
import { SERVICE_USER } from './paths.ts';

export type UnitOptions = {
  role: Role;
  /** The configuration that the service reads. */
  configFile: string;
  config: FolderSettings & Pick<Config, 'shutdown_seconds'>;
  /** Node and the command, absolute. */
  node: string;
  program: string;
  version: string;
};

/** Beyond what the service gives itself for a clean shutdown. */
const STOP_MARGIN_SECONDS = 20;

export function unitName(role: Role): string {
  return `hotitem-${role}.service`;
}

/**
 * The unit of a service, for systemd 252 (Debian bookworm) and newer. Its last line says which hotitem wrote it. Throws a `Trouble` on a
 * path that systemd would read as something else.
 */
export function unitText(options: UnitOptions): string {
  const { role, configFile, config, node, program, version } = options;
  const folders = serviceFolders(role, config);
  refuse(pathProblems({ node, program, '--config': configFile, ...pathsOf(config) }));
  return `# Written by \`hotitem service install\`, which replaces it. Your changes belong into a drop-in: systemctl edit ${unitName(role)}
[Unit]
Description=hotitem ${role}
${orderOf(role)}
# Restarted for ever: the default gives up after five failures in ten seconds.
StartLimitIntervalSec=0

[Service]
# systemd-notify, a child, tells when it is ready and that it is alive.
Type=notify
NotifyAccess=all
WatchdogSec=90
ExecStart=${node} --max-semi-space-size=4 ${program} ${role} --config ${configFile}
SyslogIdentifier=hotitem-${role}
User=${SERVICE_USER}
Restart=always
RestartSec=5
# A command line that this version does not understand does not get better.
RestartPreventExitStatus=2
# A long spool is read through before it is ready.
TimeoutStartSec=10min
TimeoutStopSec=${config.shutdown_seconds + STOP_MARGIN_SECONDS}
KillMode=mixed
# Several times what it takes; beyond it is restarted, and continues where it was.
MemoryMax=1G
UMask=0077
${foldersOf(folders, config.home).join('\n')}

ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
NoNewPrivileges=yes
CapabilityBoundingSet=
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
# V8 needs @pkey, and the spill folder's group @chown. What is refused fails, it does not kill.
SystemCallFilter=@system-service @pkey
SystemCallFilter=~@privileged @resources
SystemCallFilter=@chown
SystemCallErrorNumber=EPERM
# Not here: MemoryDenyWriteExecute= (V8 writes code), RestrictSUIDSGID= (the spill folder hands its group on),
# PrivateUsers= (the group of nginx's workers would be nobody).

[Install]
WantedBy=multi-user.target
# hotitem ${version}
`;
}

/**
 * nginx is not ordered behind the sidecar: it would wait for it at boot. While the sidecar starts, or where it stops first, nginx writes
 * views to its spill folder.
 */
function orderOf(role: Role): string {
  if (role === 'sidecar') return 'After=network.target';
  return 'Wants=network-online.target\nAfter=network-online.target';
}

function foldersOf({ state, runs, others }: ServiceFolders, home: string): string[] {
  return [
    ...(state === undefined ? [] : [`StateDirectory=${stateName(state)}`, 'StateDirectoryMode=0755']),
    ...(runs.length === 0
      ? []
      : [
          `RuntimeDirectory=${runs.map(runName).join(' ')}`,
          'RuntimeDirectoryMode=0755',
          // Another folder by the same name would not be the one that a container has mounted.
          'RuntimeDirectoryPreserve=restart',
        ]),
    ...(others.length === 0 ? [] : [`ReadWritePaths=${others.join(' ')}`]),
    `WorkingDirectory=${home}`,
  ];
}

/** What a path may hold that goes into a unit as it is: nothing that systemd reads as a quote, a variable or a specifier. */
const PLAIN_PATH = /^\/[\w./@+:~-]*$/;
/** What ProtectHome= and PrivateTmp= hide from the service. */
const HIDDEN = ['/root/', '/home/', '/run/user/', '/tmp/', '/var/tmp/'];

function pathsOf({
  home,
  intake,
  control,
  spool,
  spill,
  heat,
  duckdb,
}: FolderSettings): Record<string, string> {
  return {
    home,
    'intake.socket': intake.socket,
    'control.socket': control.socket,
    'spool.dir': spool.dir,
    'spill.dir': spill.dir,
    'heat.dir': heat.dir,
    'duckdb.path': duckdb.path,
  };
}

function pathProblems(paths: Record<string, string>): string[] {
  return Object.entries(paths).flatMap(([name, path]) => {
    const got = `(got ${JSON.stringify(path)})`;
    if (!PLAIN_PATH.test(path))
      return `${name}: goes into a unit of systemd, so it must be an absolute path of letters, digits and . _ - + @ : ~ ${got}`;
    if (HIDDEN.some((folder) => path.startsWith(folder)))
      return `${name}: lies in a folder that the service does not see (ProtectHome=, PrivateTmp=) ${got}`;
    return [];
  });
}

function refuse(problems: string[]): void {
  if (problems.length === 0) return;
  throw new Trouble(
    problems.join('\n'),
    'Nothing was written. Programs belong below /usr or /opt, for all users; state below /var/lib, sockets below /run.',
  );
}
