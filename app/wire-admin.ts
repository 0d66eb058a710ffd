import { type Admin, startAdmin } from '../service/admin/admin.ts';
import { ADMIN_METRICS } from '../service/admin/admin-metrics.ts';
import { keepTrying } from '../service/keep-trying.ts';
import { reasonOf } from '../service/log.ts';
import { createMetrics } from '../service/metrics.ts';
import type { Core } from './core.ts';
import type { Part } from './wire-sidecar.ts';

/**
 * Starts the listener for people and monitoring, which is stopped first. Events are delivered without it: if its address is in use, this
 * resolves after the first attempt and keeps retrying.
 */
export async function wireAdmin(
  core: Core,
  setting: 'listen' | 'sink_listen',
  { routes, actions, checks }: Part,
): Promise<void> {
  const { config, registry, log, shutdown, warn } = core;
  const listen = config.admin[setting];
  const metrics = createMetrics(registry, ADMIN_METRICS);
  const stopping = new AbortController();
  let admin: Admin | undefined;
  let isTried = () => {};
  const tried = new Promise<void>((resolve) => {
    isTried = resolve;
  });
  const started = keepTrying(start, { signal: stopping.signal, onFailure }).then(isTried, isTried);
  shutdown.add('admin', async () => {
    stopping.abort();
    await started;
    await admin?.close();
  });
  await tried;

  async function start(): Promise<void> {
    const begun = await startAdmin({
      listen,
      allowedHosts: config.admin.allowed_hosts,
      routes,
      actions,
      checks,
      registry,
      metrics,
      log,
    });
    if (stopping.signal.aborted) await begun.close();
    else admin = begun;
  }

  function onFailure(error: unknown): void {
    metrics.of('admin_listen_failures_total').add();
    warn(
      'admin',
      `cannot listen on admin.${setting}, retrying: no page, metrics or readiness; events are still delivered`,
      { [`admin.${setting}`]: listen, reason: reasonOf(error) },
    );
    isTried();
  }
}
