import { join } from 'node:path';
import { createLosses, type Losses, type LossSource } from '../service/losses.ts';
import type { Core } from './core.ts';

const EVERY_MS = 1_000;

/** Checks for losses once a second; `name` is that of its file below `home`. */
export function watchLosses(core: Core, name: string, sources: LossSource[]): Losses {
  const { config, now, warn, shutdown } = core;
  const losses = createLosses({ path: join(config.home, name), sources, now, warn });
  const timer = setInterval(() => void losses.look(), EVERY_MS);
  shutdown.add('losses', async () => {
    clearInterval(timer);
    await losses.look();
  });
  return losses;
}
