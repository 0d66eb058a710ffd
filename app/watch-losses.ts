import { join } from 'node:path';
import { createLosses, LOSS_METRICS, type Losses, type LossSource } from '../service/losses.ts';
import { createMetrics } from '../service/metrics.ts';
import type { Core } from './core.ts';

const EVERY_MS = 1_000;

/** Checks for losses once a second; `name` is that of its file below `home`. */
export function watchLosses(core: Core, name: string, sources: LossSource[]): Losses {
  const { config, now, registry, warn, shutdown } = core;
  const losses = createLosses({ path: join(config.home, name), sources, now, warn });
  const metrics = createMetrics(registry, LOSS_METRICS);
  for (const { reason } of sources) metrics.of('lost_views', { reason }).follow(() => losses.total(reason));
  const timer = setInterval(() => void losses.look(), EVERY_MS);
  shutdown.add('losses', async () => {
    clearInterval(timer);
    await losses.look();
  });
  return losses;
}
