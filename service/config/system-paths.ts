/** Where an installed hotitem has its things on a host: every command and every message that names one of them takes it from here. */
export const SYSTEM_PATHS = {
  /** What is read where neither --config nor HOTITEM_CONFIG names a file. */
  config: '/etc/hotitem/hotitem.yml',
  /** All state; the setting `home`. */
  home: '/var/lib/hotitem',
  /** Folder of the sockets. */
  run: '/run/hotitem',
} as const;
