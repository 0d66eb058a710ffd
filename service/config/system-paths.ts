/** The paths of an installed hotitem. Every command and message that names one takes it from here. */
export const SYSTEM_PATHS = {
  /** Read if neither --config nor HOTITEM_CONFIG names a file. */
  config: '/etc/hotitem/hotitem.yml',
  /** All state; the setting `home`. */
  home: '/var/lib/hotitem',
  /** Folder of the sockets. */
  run: '/run/hotitem',
} as const;
