import { userInfo } from 'node:os';
import { join, relative } from 'node:path';
import { type Core, createCore } from '../../app/core.ts';
import { requireOwnState } from '../../app/own-state.ts';
import { requireFree } from '../../app/ports.ts';
import { runService } from '../../app/run-service.ts';
import { startServices } from '../../app/start-services.ts';
import { startCrowd } from '../../demo/crowd.ts';
import { startNginxProcess } from '../../demo/nginx-process.ts';
import { startOrigin } from '../../demo/origin.ts';
import { renderShop } from '../../demo/shop.ts';
import type { Change } from '../../detect/decisions.ts';
import { DEFAULT_BREAKER } from '../../nginx-setup/breaker.ts';
import { includeSettings } from '../../nginx-setup/includes.ts';
import { refuse } from '../../nginx-setup/install.ts';
import { BATCH_FROM, compareVersions } from '../../nginx-setup/program/version.ts';
import { pathProblem } from '../../nginx-setup/template.ts';
import { findNginx, type NginxBuild } from '../../provision/nginx.ts';
import { ProvisionError } from '../../provision/provision-error.ts';
import type { Config } from '../../service/config/config.ts';
import { DEFAULT_ADMIN } from '../../service/config/settings.ts';
import { shellWord } from '../../service/finding.ts';
import { splitAddress, toUrl } from '../../service/listen-address.ts';
import { PACKAGE_ROOT } from '../../service/package-root.ts';
import { plainText } from '../../service/plain-text.ts';
import { Trouble } from '../../service/trouble.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { durationText } from '../hot/hot-text.ts';
import { itemWithName } from '../item-name.ts';
import { progressLater } from '../progress.ts';
import { startLog } from '../start-log.ts';
import { tell } from '../terminal.ts';

const DEFAULT_SHOP = '127.0.0.1:8080';
/** The application of the demo reports its load so often. */
const LOAD_SECONDS = 5;

export const start: Command = {
  about: 'runs everything here: a demo shop on nginx, the sidecar, the index and the page',
  options: {
    listen: {
      type: 'string',
      placeholder: 'HOST:PORT',
      about: `address of the demo shop (${DEFAULT_SHOP})`,
    },
    breaker: {
      type: 'string',
      placeholder: 'HOST:PORT',
      about: `loopback address on which nginx itself answers views while the sidecar is unavailable (${DEFAULT_BREAKER})`,
    },
    demo: {
      type: 'boolean',
      about: 'with visitors: a flash sale, in which one item takes off after 20 s, turns hot and is cached',
    },
  },
  configured: true,
  async run(context) {
    const { listen: shop = DEFAULT_SHOP, breaker = DEFAULT_BREAKER, demo = false, ...flags } = context.flags;
    // A demonstration must not touch the state of an installed service.
    const configured = configure({ ...context, flags }, { hereOnly: true });
    const config = withCatalogue(demo === true ? protecting(configured, String(shop)) : configured);
    // nginx's configuration names both.
    refuse([pathProblem('home', config.home), pathProblem('the folder of hotitem', PACKAGE_ROOT)]);
    requireOwnState(config);
    const { destination, path: logPath } = startLog(config.home);
    const core = createCore(config, destination);
    const addresses = { shop: String(shop), breaker: String(breaker), admin: config.admin.listen };
    await requireFree([
      { address: addresses.shop, flag: '--listen' },
      { address: addresses.breaker, flag: '--breaker' },
      { address: addresses.admin, flag: '--admin-listen' },
      ...(demo === true ? [{ address: config.nginx.keeper, flag: '--nginx-keeper' }] : []),
    ]);
    const nginx = await obtainNginx(context.env);
    const stopping = sayStopping(core.shutdown);
    return runService(core, async () => {
      await startServices(core, (change) => onHotChange(change, core.catalogue().lookUp(change.item)?.name));
      const origin = demo === true ? await startApplication(core) : undefined;
      await startShop(core, nginx, { ...addresses, origin });
      if (demo === true) core.shutdown.add('crowd', startCrowd({ shop: addresses.shop }).close);
      stopping();
      say(welcome(core, addresses, logPath, demo === true));
    });
  },
};

/** Returns what to call when everything has started: from then on it is said when stopping begins, and when it has ended. */
function sayStopping({ add }: Core['shutdown']): () => void {
  let isStopping = false;
  // Steps run in reverse order: this is the last one, and what is returned adds the first.
  add('stopped', async () => {
    if (isStopping) say('stopped');
  });
  return () =>
    add('stopping', async () => {
      isStopping = true;
      say('stopping …');
    });
}

async function obtainNginx(env: Record<string, string | undefined>): Promise<NginxBuild> {
  try {
    const build = await findNginx({ env, report: say, downloading: progressLater('downloading nginx') });
    say(`nginx ${build.version} with njs ${build.njs} (${build.origin})`);
    return build;
  } catch (error) {
    if (error instanceof ProvisionError) throw new Trouble(error.message, error.hint);
    throw error;
  }
}

/** Reports which items turn hot and why, and when they cool. */
function onHotChange({ change, item, signal, reason, since }: Change, named: string | undefined): void {
  const name = plainText(itemWithName(item, named), 80);
  if (change === 'enters') say(`hot   ${name} (${signal}): ${plainText(reason, 200)}`);
  if (change === 'leaves') say(`cool  ${name} (${signal}), after ${durationText(Date.now() - since)}`);
}

/** The demo shop has its pages kept, wherever this runs. */
function protecting(config: Config, shop: string): Config {
  const { host } = splitAddress(shop);
  return {
    ...config,
    protect: { ...config.protect, hosts: [host], https: false },
    nginx: { ...config.nginx, cache_dir: join(config.home, 'nginx/cache') },
  };
}

/** The demo shop has a catalogue of its pages. */
function withCatalogue(config: Config): Config {
  const file = config.catalogue.file ?? join(PACKAGE_ROOT, 'nginx', 'examples', 'catalogue.csv');
  return { ...config, catalogue: { ...config.catalogue, file } };
}

/** The application behind the demo shop; it reports its load. Returns its address. */
async function startApplication({ shutdown }: Core): Promise<string> {
  const origin = await startOrigin();
  const timer = setInterval(() => {
    const { requests, waiting } = origin.load();
    say(`origin  ${Math.round(requests / LOAD_SECONDS)} requests/s, ${waiting} waiting`);
  }, 1_000 * LOAD_SECONDS);
  shutdown.add('origin', async () => {
    clearInterval(timer);
    await origin.close();
  });
  return origin.address;
}

async function startShop(
  core: Core,
  nginx: NginxBuild,
  { shop, breaker, origin }: { shop: string; breaker: string; origin: string | undefined },
): Promise<void> {
  const { config, shutdown } = core;
  const folder = join(config.home, 'nginx');
  const user = userInfo();
  const rendered = await renderShop({
    ...includeSettings(config),
    // Works with every njs: this nginx is not the operator's.
    engine: 'njs',
    folder,
    listen: shop,
    breaker,
    hasBatch: compareVersions(nginx.njs, BATCH_FROM) >= 0,
    ...(origin !== undefined && { example: 'protect', origin }),
    ...(nginx.modules.js !== undefined && { module: nginx.modules.js }),
    ...(user.uid === 0 && { user: user.username }),
  });
  const running = await startNginxProcess({ command: nginx.command, shop: rendered, folder });
  shutdown.add('nginx', running.quit);
}

function welcome(
  core: Core,
  addresses: { shop: string; admin: string },
  logPath: string,
  demo: boolean,
): string {
  const { config, parts } = core;
  const index = parts.index === 'duckdb' ? 'DuckDB here' : `Elasticsearch at ${config.elasticsearch.node}`;
  const way = parts.kafka ? `Kafka at ${config.kafka.brokers.join(',')}, then ${index}` : index;
  const [shop, admin] = [toUrl(addresses.shop), toUrl(addresses.admin)];
  return `
  shop       ${shop}/
  page       ${admin}/
  events go  to ${way}
  log        ${logPath}

Four things to try:
  1. open ${shop}/web/item/4711.html a few times, and watch it rise on ${admin}/
  2. curl '${admin}/api/v1/items?window=5m&limit=5'
  3. ${demo ? 'wait: after 20 s one item of the demo takes off, the terminal says that it is hot, nginx caches its page, and the load of the origin falls; a minute later it cools' : 'npm start -- --demo   with visitors: a flash sale, in which one item takes off'}
  4. the report of it, from here: ${reportCommand(config)}

Ctrl-C stops everything.
`;
}

/** For a second terminal in this folder: the report with the names of the demo's items. */
function reportCommand({ home, admin, catalogue }: Config): string {
  const here = (path: string) => {
    const below = relative(process.cwd(), path) || '.';
    return shellWord(below.startsWith('..') ? path : below);
  };
  const program = process.cwd() === PACKAGE_ROOT ? 'node bin/hotitem.mjs' : 'hotitem';
  const more = [
    ...(catalogue.file === undefined ? [] : [`--catalogue-file ${here(catalogue.file)}`]),
    ...(admin.listen === DEFAULT_ADMIN ? [] : [`--admin-listen ${admin.listen}`]),
  ];
  return `${[program, 'report', '--home', here(home), ...more].join(' ')} --output report.html`;
}

function say(text: string): void {
  tell(`${text.startsWith('\n') ? text : `hotitem: ${text}`}\n`);
}
