import type { Command } from '../command.ts';
import { check } from '../commands/check.ts';
import { doctor } from '../commands/doctor.ts';
import { nginxInstall } from '../commands/nginx-install.ts';
import { nginxRemove } from '../commands/nginx-remove.ts';
import { serviceInstall } from '../commands/service-install.ts';
import { serviceRemove } from '../commands/service-remove.ts';

/** What changes this host, and judges its configuration. */
export const installation: Record<string, Command> = {
  'nginx install': nginxInstall,
  'nginx remove': nginxRemove,
  'service install': serviceInstall,
  'service remove': serviceRemove,
  check,
  doctor,
};
