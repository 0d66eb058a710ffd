import { spawnSync } from 'node:child_process';
import { chownSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { obtainElasticsearch } from '../provision/elasticsearch.ts';
import { ELASTICSEARCH, ELASTICSEARCH_WITH_API_KEYS } from '../provision/versions.ts';
import { answersHealthy } from './elasticsearch-health.ts';
import type { ElasticsearchOptions, ElasticsearchPart } from './elasticsearch-part.ts';
import { temporaryFolder } from './guard.ts';
import { freePorts } from './ports.ts';
import { type PartProcess, startProcess, tailOf } from './process.ts';
import { report } from './report.ts';
import { until } from './until.ts';

const START_MS = 240_000;
// Small, with the first compiler only, and without verifying Elasticsearch's own classes, which takes a fifteenth of its start.
const JVM = [
  '-Xms512m -Xmx512m -XX:-AlwaysPreTouch -XX:-UseG1GC -XX:+UseSerialGC -XX:TieredStopAtLevel=1',
  '-XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote',
].join(' ');
// Any user except root; this is `nobody` on almost all systems.
const NOBODY = { uid: 65_534, gid: 65_534 };

/** Elasticsearch from Maven Central as a local process, with its data in a temporary folder. */
export async function startElasticsearchProcess({
  apiKeys = false,
  settings = {},
  files = {},
  javaOptions = JVM,
  likeDistributed = false,
}: ElasticsearchOptions = {}): Promise<ElasticsearchPart> {
  const { version, java, home } = await obtainElasticsearch({
    distribution: apiKeys ? ELASTICSEARCH_WITH_API_KEYS : ELASTICSEARCH,
    likeDistributed,
    report,
  });
  const folder = temporaryFolder('elasticsearch');
  const [port = 0, transportPort = 0] = await freePorts(2);
  const node = `http://127.0.0.1:${port}`;
  const logFile = join(folder.path, 'node.log');
  const user = process.getuid?.() === 0 ? NOBODY : undefined;
  const runHome = user === undefined ? home : reachableCopy(home, join(folder.path, 'home'));
  writeConfiguration();
  let running: PartProcess | undefined;
  await start();

  return {
    node,
    logFile,
    configure: (file, text) => writeFileSync(join(folder.path, 'config', file), text),
    describe: `Elasticsearch ${version}, Java ${java.major}, local process`,
    controllable: true,
    start,
    stop: async () => running?.stop(),
    kill: async () => running?.kill(),
    pause: async () => running?.pause(),
    resume: async () => running?.resume(),
    log: () => tailOf(logFile),
    async close() {
      await running?.kill();
      folder.remove();
    },
  };

  async function start(): Promise<void> {
    if (running?.running()) return;
    const server = startProcess({
      name: 'Elasticsearch',
      command: [join(runHome, 'bin', 'elasticsearch')],
      logFile,
      cwd: folder.path,
      env: {
        PATH: process.env.PATH,
        ES_JAVA_HOME: java.home,
        ES_JAVA_OPTS: javaOptions,
        CLI_JAVA_OPTS: `-XX:TieredStopAtLevel=1 -Djava.io.tmpdir=${join(folder.path, 'tmp')}`,
        ES_PATH_CONF: join(folder.path, 'config'),
        ES_TMPDIR: join(folder.path, 'tmp'),
      },
      ...(user && { user }),
    });
    running = server;
    const healthy = async () => !server.running() || (await answersHealthy(node));
    await until(healthy, {
      timeoutMs: START_MS,
      what: 'Elasticsearch to start',
      detail: () => tailOf(logFile),
    });
    if (!server.running()) throw new Error(`Elasticsearch does not start:\n${tailOf(logFile)}`);
  }

  function writeConfiguration(): void {
    const config = join(folder.path, 'config');
    cpSync(join(home, 'config'), config, { recursive: true });
    writeFileSync(
      join(config, 'elasticsearch.yml'),
      [
        'discovery.type: single-node',
        'network.host: 127.0.0.1',
        `http.port: ${port}`,
        `transport.port: ${transportPort}`,
        ...('xpack.security.enabled' in settings ? [] : ['xpack.security.enabled: false']),
        'cluster.routing.allocation.disk.threshold_enabled: false',
        // Without G1 it takes garbage for memory in use, and then refuses requests of a busy test.
        'indices.breaker.total.use_real_memory: false',
        `path.data: ${join(folder.path, 'data')}`,
        `path.logs: ${join(folder.path, 'logs')}`,
        ...Object.entries(settings).map(([key, value]) => `${key}: ${value}`),
        '',
      ].join('\n'),
    );
    for (const [name, text] of Object.entries(files)) writeFileSync(join(config, name), text);
    for (const name of ['data', 'logs', 'tmp']) mkdirSync(join(folder.path, name));
    if (user === undefined) return;
    const folders = ['.', 'config', 'data', 'logs', 'tmp'];
    const written = readdirSync(config, { recursive: true, encoding: 'utf8' }).map((name) =>
      join('config', name),
    );
    for (const name of [...folders, ...written]) chownSync(join(folder.path, name), user.uid, user.gid);
  }
}

/**
 * The same files in a folder that the unprivileged user can read: root's cache is usually in root's home. Uses hard links, which
 * are fast, if both folders are on one file system. Java would follow symbolic links back into the cache.
 */
function reachableCopy(home: string, to: string): string {
  const linked = spawnSync('cp', ['-al', home, to]);
  if (linked.status !== 0) cpSync(home, to, { recursive: true });
  return to;
}
