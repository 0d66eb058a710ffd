import type { Config } from '../../service/config/config.ts';
import { SYSTEM_PATHS } from '../../service/config/system-paths.ts';
import type { Finding } from '../../service/finding.ts';

/** Whether the folder of all state is the same wherever a command is started. */
export function homeFindings({ home, homeIsRelative }: Pick<Config, 'home' | 'homeIsRelative'>): Finding[] {
  if (!homeIsRelative) return [];
  return [
    {
      id: 'home-relative',
      severity: 'warning',
      what: `home is a relative path: state goes below the working directory, here ${home}`,
      why: 'in another directory every command means another sidecar, and nginx cannot be told where its socket is',
      fix: `set an absolute path: home: ${SYSTEM_PATHS.home} in ${SYSTEM_PATHS.config}`,
    },
  ];
}
