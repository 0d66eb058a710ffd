import { join } from 'node:path';
import { temporaryFolder } from '../parts/guard.ts';
import { freePorts } from '../parts/ports.ts';
import { type PartProcess, startProcess, tailOf } from '../parts/process.ts';
import { askOnce } from '../parts/service.ts';

const ROOT = join(import.meta.dirname, '../..');

export type Started = {
  process: PartProcess;
  output: () => string;
  shop: string;
  page: string;
  home: string;
  remove: () => void;
};

/**
 * What `npm start` runs once it has built, on addresses and with a folder of its own. A value `@EMPTY@` becomes a folder
 * that is not there.
 */
export async function startDemo(args: string[], env: Record<string, string>): Promise<Started> {
  const { path: home, remove } = temporaryFolder('start');
  const [shop, page, breaker, keeper] = await freePorts(4);
  const logFile = join(home, 'output');
  const addresses = [
    '--listen',
    `127.0.0.1:${shop}`,
    '--admin-listen',
    `127.0.0.1:${page}`,
    '--breaker',
    `127.0.0.1:${breaker}`,
  ];
  const given = Object.entries(env).map(([name, value]) => [
    name,
    value === '@EMPTY@' ? join(home, 'cache') : value,
  ]);
  const process_ = startProcess({
    name: 'npm start',
    command: [process.execPath, join(ROOT, 'dist/hotitem.mjs'), 'start', ...addresses, ...args],
    logFile,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      HOTITEM_HOME: home,
      HOTITEM_NGINX_KEEPER: `127.0.0.1:${keeper}`,
      ...Object.fromEntries(given),
    },
  });
  return {
    process: process_,
    output: () => tailOf(logFile),
    shop: `127.0.0.1:${shop}`,
    page: `127.0.0.1:${page}`,
    home,
    remove,
  };
}

export async function ranking(page: string): Promise<{ item: string; views: number; visitors: number }[]> {
  const reply = await askOnce(`http://${page}/api/v1/items`);
  return ((await reply.json()) as { items: { item: string; views: number; visitors: number }[] }).items;
}
