import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExplainedItem, WholeHotList } from '../../heat/hot-list.ts';
import type { KeptState } from '../../protect/entry.ts';
import { freePorts } from '../parts/ports.ts';
import { type Service, startService } from '../parts/service.ts';
import { until } from '../parts/until.ts';
import { isListed } from './hot-list-files.ts';
import { addressOf, lineOf, postLines } from './post-lines.ts';
import { askHotitem, runHotitem } from './run-hotitem.ts';

const SOON_MS = 60_000;
const BUSY_VIEWS = 100;
const ENTER = 'enter_views_per_second: 5, leave_views_per_second: 1';
/** Few views make an item hot. It stays hot for as long as its test may take on a busy machine. */
const RULES = `rules:
  - busy: { ${ENTER}, dwell_seconds: 600 }
  - { name: guard, items: ["guarded"], busy: { ${ENTER}, actions: [limit] } }
`;

/** A sidecar whose keeper asks one nginx. */
export type KeeperShop = {
  home: string;
  sidecar: Service;
  /** Views that make the item hot, from as many addresses of pages as are given. */
  turnHot(item: string, targets?: string[], host?: string): Promise<void>;
  stateOf(item: string): Promise<KeptState | undefined>;
  /** Waits until its page is kept. */
  kept(item: string): Promise<void>;
  /** Waits until its page is not to be kept, for that reason: a late answer may be another one for a while. */
  refused(item: string, reason: string | RegExp): Promise<void>;
  hotList(): Promise<WholeHotList>;
  /** What `hotitem hot show` prints. */
  show(item: string): Promise<string>;
  /** What it prints as JSON. */
  explain(item: string): Promise<ExplainedItem>;
  /** For the message of a test that waits in vain. */
  detail(): Promise<string>;
};

export type KeeperShopOptions = {
  folder: string;
  /** The folder of the hot list. */
  hot: string;
  keeperPort: number;
  /** The first is that of views, unless they say otherwise. */
  hosts: string[];
  env?: Record<string, string>;
};

export async function startKeeperShop(options: KeeperShopOptions): Promise<KeeperShop> {
  const { folder, hot, keeperPort, hosts, env } = options;
  const home = join(folder, 'sidecar');
  mkdirSync(home, { recursive: true });
  const rules = join(home, 'rules.yml');
  writeFileSync(rules, RULES);
  const [port] = await freePorts(1);
  const admin = `127.0.0.1:${port}`;
  const sidecar = await startService({
    args: ['sidecar'],
    admin,
    logFile: join(home, 'sidecar.log'),
    env: {
      HOTITEM_HOME: home,
      HOTITEM_NODE: 'web-1',
      HOTITEM_ADMIN_LISTEN: admin,
      HOTITEM_HEAT_DIR: hot,
      HOTITEM_NGINX_KEEPER: `127.0.0.1:${keeperPort}`,
      HOTITEM_HEAT_RULES: rules,
      HOTITEM_PROTECT_HOSTS: hosts.join(','),
      ...env,
    },
  });
  return { home, sidecar, turnHot, stateOf, kept, refused, hotList, show, explain, detail };

  async function turnHot(
    item: string,
    targets = [`/item/${item}.html`, `/item/${item}.html?utm_source=mail`],
    host = hosts[0] ?? '',
  ): Promise<void> {
    const lines = Array.from({ length: BUSY_VIEWS }, (_, i) =>
      lineOf({ item, ip: addressOf(i), host, target: targets[i % targets.length] ?? '' }),
    );
    await postLines(join(home, 'run/intake.sock'), lines);
  }

  function hotList(): Promise<WholeHotList> {
    return sidecar.json<WholeHotList>('/api/v1/hot');
  }

  async function stateOf(item: string): Promise<KeptState | undefined> {
    return (await hotList()).hot.find((one) => one.item === item && one.page !== undefined)?.page;
  }

  async function kept(item: string): Promise<void> {
    const isKept = async () => (await stateOf(item))?.state === 'kept' && isListed(hot, 'cache', item);
    await until(isKept, { timeoutMs: SOON_MS, what: `the page of ${item} to be kept`, detail });
  }

  async function refused(item: string, reason: string | RegExp): Promise<void> {
    const isRefused = async () => {
      const state = await stateOf(item);
      if (state?.state !== 'refused') return false;
      return typeof reason === 'string' ? state.reason === reason : reason.test(state.reason);
    };
    const what = `the page of ${item} to be refused: ${reason}`;
    await until(isRefused, { timeoutMs: SOON_MS, what, detail });
  }

  async function show(item: string): Promise<string> {
    return (await runHotitem(['hot', 'show', item], { HOTITEM_HOME: home })).stdout;
  }

  async function explain(item: string): Promise<ExplainedItem> {
    return (await askHotitem<ExplainedItem>(['hot', 'show', item], { HOTITEM_HOME: home })).answer;
  }

  async function detail(): Promise<string> {
    return `${JSON.stringify((await hotList()).hot)}\n${sidecar.log()}`;
  }
}
