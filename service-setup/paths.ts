import { SYSTEM_PATHS } from '../service/config/system-paths.ts';

/** Where a service that `hotitem service install` sets up has its things. */
export const SERVICE_PATHS = { ...SYSTEM_PATHS, units: '/etc/systemd/system' } as const;

/** The user and the group that the services run as. */
export const SERVICE_USER = 'hotitem';
