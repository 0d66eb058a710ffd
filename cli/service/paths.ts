/** Where a service that `hotitem service install` sets up has its things. */
export const SERVICE_PATHS = {
  config: '/etc/hotitem/hotitem.yml',
  home: '/var/lib/hotitem',
  run: '/run/hotitem',
  units: '/etc/systemd/system',
} as const;

/** The user and the group that the services run as. */
export const SERVICE_USER = 'hotitem';
