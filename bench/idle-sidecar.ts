import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../test/parts/ports.ts';
import { type Service, startService } from '../test/parts/service.ts';

const GIB = 1024 ** 3;

/** The sidecar as it is shipped, its Kafka away: it takes in and spools, and hands nothing on. All its state is in `home`. `settings`: from the environment. */
export async function startIdleSidecar(home: string, settings: NodeJS.ProcessEnv = {}): Promise<Service> {
  await mkdir(home, { recursive: true });
  const admin = `127.0.0.1:${await freePort()}`;
  const env = {
    HOTITEM_HOME: home,
    HOTITEM_ADMIN_LISTEN: admin,
    HOTITEM_SPOOL_MAX_BYTES: String(64 * GIB),
    KAFKA_BROKERS: `127.0.0.1:${await freePort()}`,
    // As its service and docker-compose.yml set it.
    NODE_OPTIONS: '--max-semi-space-size=4',
    ...settings,
  };
  return startService({ args: ['sidecar'], env, admin, logFile: join(home, 'sidecar.log') });
}
