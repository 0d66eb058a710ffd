import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ProvisionError } from '../../provision/provision-error.ts';
import { run } from '../../service/run.ts';
import { NEWEST_JAVA, OLDEST_JAVA } from './versions.ts';

export type Java = {
  command: string;
  home: string;
  major: number;
  /** Of the virtual machine: `17.0.15+6-Debian-1deb12u1`. */
  build: string;
};

const HINT = `Install one (Debian: apt-get install openjdk-${OLDEST_JAVA}-jre-headless), or name it with JAVA_HOME.`;

/** Where the packages of Linux distributions put each Java. */
const INSTALLED = '/usr/lib/jvm';

/** The Java that runs Kafka and Elasticsearch: `$JAVA_HOME`'s, else the one on the path. */
export async function findJava(env: NodeJS.ProcessEnv = process.env): Promise<Java> {
  const command = env.JAVA_HOME ? join(env.JAVA_HOME, 'bin', 'java') : 'java';
  const shown = await run(command, ['-XshowSettings:properties', '-version']);
  if (shown.missing) throw new ProvisionError(`no Java: ${command} is not there`, { hint: HINT });

  const major = Number(/java\.specification\.version = (?:1\.)?(\d+)/.exec(shown.stderr)?.[1]);
  const home = /java\.home = (.+)/.exec(shown.stderr)?.[1];
  const build = /java\.vm\.version = (\S+)/.exec(shown.stderr)?.[1] ?? String(major);
  if (shown.code !== 0 || home === undefined || !Number.isInteger(major)) {
    throw new ProvisionError(`${command} -version does not work: ${shown.stderr.slice(-300).trim()}`, {
      hint: HINT,
    });
  }
  if (major < OLDEST_JAVA) {
    throw new ProvisionError(`${command} is Java ${major}; ${OLDEST_JAVA} or newer is needed`, {
      hint: HINT,
    });
  }
  return { command, home: home.trim(), major, build };
}

/** `$JAVA_HOME`'s Java, else the newest one that is installed, up to `NEWEST_JAVA`, else the one on the path. */
export async function findNewestJava(env: NodeJS.ProcessEnv = process.env): Promise<Java> {
  if (env.JAVA_HOME || !existsSync(INSTALLED)) return findJava(env);
  const homes = readdirSync(INSTALLED).map((name) => join(INSTALLED, name));
  const found = await Promise.all(
    // Not each of them has a program in it.
    homes.map((home) => findJava({ ...env, JAVA_HOME: home }).catch(() => undefined)),
  );
  const usable = found.filter((java): java is Java => java !== undefined && java.major <= NEWEST_JAVA);
  return usable.sort((a, b) => b.major - a.major)[0] ?? findJava(env);
}
