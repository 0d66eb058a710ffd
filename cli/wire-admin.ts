import { type Admin, startAdmin } from '../service/admin.ts';
import type { Core } from './core.ts';
import type { Part } from './wire-sidecar.ts';

/** Starts the listener for people and monitoring, stopped before everything else. */
export async function wireAdmin(core: Core, listen: string, { routes, checks }: Part): Promise<Admin> {
  const { config, registry, log, shutdown } = core;
  const admin = await startAdmin({
    listen,
    allowedHosts: config.admin.allowed_hosts,
    routes,
    checks,
    registry,
    log,
  });
  shutdown.add('admin', admin.close);
  return admin;
}
