import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { obtain } from '../../provision/cache.ts';
import type { KafkaBuild } from '../provision/kafka.ts';
import { temporaryFolder } from './guard.ts';
import { freePorts } from './ports.ts';
import { startProcess, tailOf } from './process.ts';
import { report } from './report.ts';
import { until } from './until.ts';

/** Making it takes some ten seconds of CPU, and the machine may be busy. */
const PATIENCE_MS = 180_000;
const ARCHIVE = 'classes.jsa';

/**
 * JVM flags with which Kafka has its classes from an archive: a start then costs half the CPU. The archive is what a broker writes at its
 * end that was started for that. It is made once for a Java and a Kafka, and kept in the cache. Without one Kafka starts all the same, as
 * it does where the archive does not fit.
 */
export async function kafkaClasses(kafka: KafkaBuild, jvm: string[]): Promise<string[]> {
  const { java, version } = kafka;
  try {
    const folder = await obtain({
      name: `java-classes-${java.build}-kafka-${version}`,
      what: `an archive of Kafka's classes, for faster starts`,
      report,
      make: (folder) => makeArchive(kafka, jvm, join(folder, ARCHIVE)),
    });
    return [`-XX:SharedArchiveFile=${join(folder, ARCHIVE)}`, '-Xlog:disable'];
  } catch (error) {
    report(`hotitem: Kafka starts without an archive of its classes: ${String(error)}`);
    return [];
  }
}

async function makeArchive({ java, classpath }: KafkaBuild, jvm: string[], archive: string): Promise<void> {
  const folder = temporaryFolder('kafka-classes');
  const logFile = join(folder.path, 'broker.log');
  const properties = join(folder.path, 'server.properties');
  const [port = 0, controllerPort = 0] = await freePorts(2);
  writeFileSync(
    properties,
    `process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:${controllerPort}
log.dirs=${join(folder.path, 'data')}
offsets.topic.replication.factor=1
`,
  );
  try {
    const format = ['kafka.tools.StorageTool', 'format', '-t', 'aG90aXRlbS10ZXN0cy0wMQ', '-c', properties];
    execFileSync(java.command, [...jvm, '-cp', classpath, ...format], { stdio: 'pipe' });
    const broker = startProcess({
      name: 'Kafka',
      command: [
        java.command,
        ...jvm,
        `-XX:ArchiveClassesAtExit=${archive}`,
        '-cp',
        classpath,
        'kafka.Kafka',
        properties,
      ],
      logFile,
    });
    const detail = () => tailOf(logFile);
    await until(() => !broker.running() || detail().includes('Kafka Server started'), {
      timeoutMs: PATIENCE_MS,
      what: 'Kafka to start',
      detail,
    });
    await broker.stop('SIGTERM', PATIENCE_MS);
    if (!existsSync(archive)) throw new Error(`Kafka wrote no archive of its classes\n${detail()}`);
  } finally {
    folder.remove();
  }
}
