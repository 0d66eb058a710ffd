import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { obtainKafka } from '../provision/kafka.ts';
import { temporaryFolder } from './guard.ts';
import { kafkaClasses } from './kafka-classes.ts';
import type { KafkaNode, KafkaOptions, KafkaPart } from './kafka-part.ts';
import { makeSecurity, SECURE_LISTENERS, scramUsers, securityProperties } from './kafka-security.ts';
import { freePorts } from './ports.ts';
import { type PartProcess, startProcess, tailOf } from './process.ts';
import { report } from './report.ts';
import { until } from './until.ts';

type Broker = { id: number; port: number; controllerPort: number };

// Small, and with the first compiler only: the second one does not pay off within a minute.
const JVM = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];
const START_MS = 240_000;
const PROTOCOLS = ['PLAINTEXT', ...SECURE_LISTENERS].map((name) => `${name}:${name}`);
// A cluster id is 16 bytes in base64url; a broker that finds data of another cluster does not start.
const CLUSTER = 'aG90aXRlbS10ZXN0cy0wMQ';

/** Kafka from Maven Central as local processes, with its data in a temporary folder. */
export async function startKafkaProcesses(options: KafkaOptions): Promise<KafkaPart> {
  const { version = '4.1.1', brokers: count = 1, properties = {}, secured = false } = options;
  const build = await obtainKafka({ version, report });
  const { java, classpath } = build;
  const classes = version === '4.1.1' ? await kafkaClasses(build, JVM) : [];
  const data = temporaryFolder('kafka');
  const ports = await freePorts(count * 2);
  const brokers: Broker[] = Array.from({ length: count }, (_, i) => ({
    id: i + 1,
    port: ports[i * 2] ?? 0,
    controllerPort: ports[i * 2 + 1] ?? 0,
  }));
  const securePorts = secured ? await freePorts(SECURE_LISTENERS.length) : [];
  const security = secured ? makeSecurity(data.path, securePorts) : undefined;
  formatAll();
  const nodes = brokers.map(createNode);
  await all((node) => node.start());

  return {
    brokers: brokers.map(({ port }) => `127.0.0.1:${port}`),
    describe: `Kafka ${version}, ${count === 1 ? 'local process' : `${count} local processes`}`,
    controllable: true,
    ...(security !== undefined && { security }),
    nodes,
    start: () => all((node) => node.start()),
    stop: () => all((node) => node.stop()),
    kill: () => all((node) => node.kill()),
    pause: () => all((node) => node.pause()),
    resume: () => all((node) => node.resume()),
    log: () => nodes.map((node) => node.log()).join('\n'),
    async close() {
      await all((node) => node.kill());
      data.remove();
    },
  };

  async function all(act: (node: KafkaNode) => Promise<void>): Promise<void> {
    await Promise.all(nodes.map(act));
  }

  function createNode(broker: Broker): KafkaNode {
    const logFile = join(folderOf(broker), 'broker.log');
    let running: PartProcess | undefined;
    return {
      data: dataOf(broker),
      logFile,
      async start() {
        if (running?.running()) return;
        const from = sizeOf(logFile);
        const server = startProcess({
          name: 'Kafka',
          command: kafka('kafka.Kafka', [propertiesOf(broker)]),
          logFile,
        });
        running = server;
        await until(() => !server.running() || sinceIn(logFile, from).includes('Kafka Server started'), {
          timeoutMs: START_MS,
          what: 'Kafka to start',
          detail: () => tailOf(logFile),
        });
        if (!server.running()) throw new Error(`Kafka does not start:\n${tailOf(logFile)}`);
      },
      stop: async () => running?.stop(),
      kill: async () => running?.kill(),
      pause: async () => running?.pause(),
      resume: async () => running?.resume(),
      log: () => tailOf(logFile),
    };
  }

  /** The first by Kafka's tool, whose start takes a second of CPU; the others have the same but for the id of the node and of the folder. */
  function formatAll(): void {
    for (const broker of brokers) {
      mkdirSync(folderOf(broker), { recursive: true });
      writeFileSync(propertiesOf(broker), serverProperties(broker));
    }
    const [first, ...others] = brokers;
    if (first === undefined) return;
    format(first);
    for (const other of others) {
      cpSync(dataOf(first), dataOf(other), { recursive: true });
      const file = join(dataOf(other), 'meta.properties');
      const meta = readFileSync(file, 'utf8')
        .replace(/^node.id=.*$/m, `node.id=${other.id}`)
        .replace(/^directory.id=.*$/m, `directory.id=${randomBytes(16).toString('base64url')}`);
      writeFileSync(file, meta);
    }
  }

  function format(broker: Broker): void {
    const [program = '', ...args] = kafka('kafka.tools.StorageTool', [
      'format',
      '-t',
      CLUSTER,
      '-c',
      propertiesOf(broker),
      ...(secured ? scramUsers() : []),
    ]);
    execFileSync(program, args, { stdio: 'pipe' });
  }

  function kafka(main: string, args: string[]): string[] {
    // Java does not know TMPDIR.
    const own = `-Djava.io.tmpdir=${data.path}`;
    return [java.command, ...JVM, own, ...classes, '-cp', classpath, main, ...args];
  }

  function folderOf({ id }: Broker): string {
    return join(data.path, `broker-${id}`);
  }

  function dataOf(broker: Broker): string {
    return join(folderOf(broker), 'data');
  }

  function propertiesOf(broker: Broker): string {
    return join(folderOf(broker), 'server.properties');
  }

  function serverProperties(broker: Broker): string {
    const { id, port, controllerPort } = broker;
    const replicas = String(count);
    const secure = securePorts.map((one, i) => `${SECURE_LISTENERS[i]}://127.0.0.1:${one}`);
    const clients = [`PLAINTEXT://127.0.0.1:${port}`, ...secure].join(',');
    const all: Record<string, string> = {
      'process.roles': 'broker,controller',
      'node.id': String(id),
      listeners: `${clients},CONTROLLER://127.0.0.1:${controllerPort}`,
      'advertised.listeners': clients,
      'controller.listener.names': 'CONTROLLER',
      'inter.broker.listener.name': 'PLAINTEXT',
      'listener.security.protocol.map': ['CONTROLLER:PLAINTEXT', ...PROTOCOLS].join(','),
      'controller.quorum.voters': brokers.map((one) => `${one.id}@127.0.0.1:${one.controllerPort}`).join(','),
      'log.dirs': dataOf(broker),
      'num.partitions': '4',
      'offsets.topic.replication.factor': replicas,
      'offsets.topic.num.partitions': '5',
      'transaction.state.log.replication.factor': replicas,
      'transaction.state.log.min.isr': '1',
      'group.initial.rebalance.delay.ms': '0',
      // It is idle most of the time: no record every half a second that says so.
      'metadata.max.idle.interval.ms': '0',
      'log.cleaner.dedupe.buffer.size': '2097152',
      'auto.create.topics.enable': 'false',
      // After a kill the broker cannot return before its old session has ended: 9 s by default.
      'broker.session.timeout.ms': '3000',
      'broker.heartbeat.interval.ms': '500',
      ...(version === '3.9.1'
        ? {}
        : {
            'share.coordinator.state.topic.replication.factor': replicas,
            'share.coordinator.state.topic.min.isr': '1',
          }),
      ...(secured ? securityProperties(data.path) : {}),
      ...properties,
    };
    return Object.entries(all)
      .map(([key, value]) => `${key}=${value}\n`)
      .join('');
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function sinceIn(file: string, from: number): string {
  return readFileSync(file).subarray(from).toString();
}
