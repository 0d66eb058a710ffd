import type { Config } from '../../service/config/config.ts';
import { SYSTEM_PATHS } from '../../service/config/system-paths.ts';
import type { Finding } from '../../service/finding.ts';

/** Whether `home` is the same folder wherever a command is started. */
export function homeFindings({ home, homeIsRelative }: Pick<Config, 'home' | 'homeIsRelative'>): Finding[] {
  if (!homeIsRelative) return [];
  return [
    {
      id: 'home-relative',
      severity: 'warning',
      what: `home is a relative path: state is stored below the working directory, here ${home}`,
      why: 'in another directory, commands use another sidecar, and nginx cannot find its socket',
      fix: `set an absolute path: home: ${SYSTEM_PATHS.home} in ${SYSTEM_PATHS.config}`,
    },
  ];
}
