import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheFolder } from '../../provision/cache.ts';
import { engineSocket } from './container.ts';

export type PartName = 'kafka' | 'elasticsearch' | 'nginx' | 'chromium' | 'php-fpm' | 'prometheus';

export type SuiteOptions = {
  /** The tests stop or kill the parts, so a part from an address in the environment cannot be used. */
  stops?: boolean;
};

type Needs = {
  /** The variable that names a running one. */
  address?: string;
  /** What is needed to run it here. */
  programs: string[];
  /** What is needed to obtain it, if it is not in the cache. */
  toObtain: string[];
};

const NEEDS: Record<PartName, Needs> = {
  kafka: { address: 'KAFKA_BROKERS', programs: ['java'], toObtain: ['mvn'] },
  elasticsearch: { address: 'ELASTICSEARCH_NODE', programs: ['java'], toObtain: ['mvn'] },
  nginx: { programs: [], toObtain: ['apt-get', 'dpkg-deb'] },
  chromium: { programs: [], toObtain: ['apt-get', 'dpkg-deb'] },
  prometheus: { programs: [], toObtain: ['apt-get', 'dpkg-deb'] },
  'php-fpm': { programs: [], toObtain: ['apt-get', 'dpkg-deb'] },
};

/** Why a part is not available, or undefined. */
export function whatIsMissing(part: PartName, { stops = false }: SuiteOptions): string | undefined {
  const { address, programs, toObtain } = NEEDS[part];
  if (stops && address !== undefined && process.env[address])
    return `${address} names one that is not ours to stop`;
  if (address !== undefined && (process.env[address] || engineSocket() !== undefined)) return undefined;
  const needed = isCached(part) ? programs : [...programs, ...toObtain];
  const absent = needed.filter((program) => !isOnPath(program));
  if (absent.length === 0) return undefined;
  return `${part} needs ${absent.join(' and ')}${address === undefined ? '' : `, or ${address}`}`;
}

function isCached(part: PartName): boolean {
  const cache = cacheFolder();
  return existsSync(cache) && readdirSync(cache).some((name) => name.startsWith(`${part}-`));
}

function isOnPath(program: string): boolean {
  if (program === 'java' && process.env.JAVA_HOME) return true;
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}
