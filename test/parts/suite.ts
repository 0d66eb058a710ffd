import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from '@jest/globals';
import { cacheFolder } from '../../provision/cache.ts';
import { engineSocket } from './container.ts';
import { record } from './record.ts';

export type PartName = 'kafka' | 'elasticsearch' | 'nginx' | 'chromium' | 'php-fpm';

type SuiteOptions = {
  /** The tests stop or kill the parts, so what an address in the environment names will not do. */
  stops?: boolean;
};

type Needs = {
  /** Names one that runs already. */
  address?: string;
  /** To run it here. */
  programs: string[];
  /** To obtain it, where the cache has none. */
  toObtain: string[];
};

const NEEDS: Record<PartName, Needs> = {
  kafka: { address: 'KAFKA_BROKERS', programs: ['java'], toObtain: ['mvn'] },
  elasticsearch: { address: 'ELASTICSEARCH_NODE', programs: ['java'], toObtain: ['mvn'] },
  nginx: { programs: [], toObtain: ['apt-get', 'dpkg-deb'] },
  chromium: { programs: [], toObtain: ['apt-get', 'dpkg-deb'] },
  'php-fpm': { programs: [], toObtain: ['apt-get', 'dpkg-deb'] },
};

/**
 * jest's `describe` for tests that need real parts. Where one of them cannot be had the suite is skipped, under a name
 * that says why and noted for the closing table; under `CI=true` it runs, and fails.
 */
export function suiteWith(
  parts: PartName[],
  options: SuiteOptions = {},
): (name: string, tests: () => void) => void {
  const missing = parts.map((part) => whatIsMissing(part, options)).filter((reason) => reason !== undefined);
  if (missing.length === 0 || process.env.CI === 'true') return describe;
  return (name, tests) => {
    record(`skipped: ${name} (${missing.join('; ')})`);
    describe.skip(`${name} (skipped: ${missing.join('; ')})`, tests);
  };
}

/** Why a part cannot be had, or undefined. */
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
