import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ProvisionError } from '../../provision/provision-error.ts';
import { run, tail } from '../../service/run.ts';
import { findJava } from './java.ts';
import { MAVEN_DEPENDENCY_PLUGIN } from './versions.ts';

type Jars = { dependencies: string[]; sha256: string; folder: string };
type Zip = { artifact: string; sha512: string; only: string; folder: string };

/**
 * Puts the jars of `dependencies` (`group:artifact:version`) and all that they need at run time into `folder`.
 * `sha256` is that of the lines `<sha256 of the jar>  <its name>\n`, sorted by name.
 */
export async function copyJars({ dependencies, sha256, folder }: Jars): Promise<void> {
  const work = join(folder, '.maven');
  await mkdir(work, { recursive: true });
  await writeFile(join(work, 'pom.xml'), pom(dependencies));
  await maven(work, [
    `${MAVEN_DEPENDENCY_PLUGIN}:copy-dependencies`,
    '-DincludeScope=runtime',
    `-DoutputDirectory=${folder}`,
  ]);
  await rm(work, { recursive: true });

  const names = (await readdir(folder)).sort();
  const lines = await Promise.all(
    names.map(async (name) => `${await checksum('sha256', join(folder, name))}  ${name}\n`),
  );
  const found = createHash('sha256').update(lines.join('')).digest('hex');
  if (found !== sha256) throw unexpected(dependencies.join(' '), { found, wanted: sha256 });
}

/** Unpacks what lies below `only` in a zip artifact (`group:artifact:version:zip`) into `folder`, its file modes kept. */
export async function unpackZip({ artifact, sha512, only, folder }: Zip): Promise<void> {
  const work = join(folder, '.maven');
  await mkdir(work, { recursive: true });
  await maven(work, [
    `${MAVEN_DEPENDENCY_PLUGIN}:copy`,
    `-Dartifact=${artifact}`,
    `-DoutputDirectory=${work}`,
  ]);
  const zip = (await readdir(work)).find((name) => name.endsWith('.zip'));
  if (zip === undefined) throw unexpected(artifact, { found: 'no zip', wanted: sha512 });
  const found = await checksum('sha512', join(work, zip));
  if (found !== sha512) throw unexpected(artifact, { found, wanted: sha512 });

  await maven(work, [
    '--offline',
    `${MAVEN_DEPENDENCY_PLUGIN}:unpack`,
    `-Dartifact=${artifact}`,
    `-Dmdep.unpack.includes=${only}/**`,
    `-DoutputDirectory=${folder}`,
  ]);
  await rm(work, { recursive: true });
}

// A repository of its own for each run: Maven's is not safe for two processes, and the user's own stays as it is.
async function maven(work: string, args: string[]): Promise<void> {
  await findJava();
  const ran = await run(
    'mvn',
    ['-B', '-q', '-Dstyle.color=never', `-Dmaven.repo.local=${join(work, 'repository')}`, ...args],
    {
      cwd: work,
    },
  );
  if (ran.missing) {
    throw new ProvisionError('no Maven: mvn is not there', {
      hint: 'Install it (Debian: apt-get install maven), or give the addresses of running parts in KAFKA_BROKERS and ELASTICSEARCH_NODE.',
    });
  }
  if (ran.code !== 0) {
    const [problem = tail(ran)] = /\[ERROR\] .+/.exec(ran.stdout) ?? [];
    throw new ProvisionError(`mvn failed: ${problem.slice(0, 600)}`, {
      hint: 'Is Maven Central, or the mirror that your Maven settings name, reachable?',
    });
  }
}

function pom(dependencies: string[]): string {
  const entries = dependencies.map((coordinates) => {
    const [group, artifact, version] = coordinates.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>hotitem</groupId><artifactId>part</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>${entries.join('')}</dependencies>
</project>
`;
}

async function checksum(algorithm: 'sha256' | 'sha512', file: string): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function unexpected(what: string, { found, wanted }: { found: string; wanted: string }): ProvisionError {
  return new ProvisionError(`${what} is not what it was: checksum ${found}, expected ${wanted}`, {
    hint: 'Nothing of it was kept. Try again; if it stays so, the mirror in your Maven settings serves other files.',
  });
}
