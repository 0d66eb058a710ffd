import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '../test/parts/ports.ts';
import { type Service, startService } from '../test/parts/service.ts';

export type BenchSidecar = Service & {
  socket: string;
  spill: string;
  /** Whether all that nginx spilled or logged is taken in, and all that was taken in is acknowledged. */
  isDrained(): Promise<boolean>;
};

/** `hotitem sidecar` with all its state in `home`; without brokers it indexes by itself. */
export async function startBenchSidecar(options: {
  home: string;
  brokers?: string[];
  /** What else the operator sets. */
  env?: Record<string, string> | undefined;
}): Promise<BenchSidecar> {
  const { home, brokers = [], env } = options;
  await mkdir(home, { recursive: true });
  const admin = `127.0.0.1:${await freePort()}`;
  const service = await startService({
    args: ['sidecar'],
    env: {
      HOTITEM_HOME: home,
      HOTITEM_ADMIN_LISTEN: admin,
      ...(brokers.length > 0 && { KAFKA_BROKERS: brokers.join(',') }),
      ...env,
    },
    admin,
    logFile: join(home, 'sidecar.log'),
  });
  return {
    ...service,
    socket: join(home, 'run/intake.sock'),
    spill: join(home, 'spill'),
    async isDrained() {
      if ((await service.metric('hotitem_spill_waiting_bytes')) > 0) return false;
      const { sidecar } = await service.json<{ sidecar: { waiting: number } }>('/api/v1/accounting');
      return sidecar.waiting === 0;
    },
  };
}
