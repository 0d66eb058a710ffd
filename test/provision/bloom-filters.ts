import { createRequire } from 'node:module';
import { join } from 'node:path';
import { obtain } from '../../provision/cache.ts';
import { ProvisionError } from '../../provision/provision-error.ts';
import type { Report } from '../../provision/report.ts';
import { run } from '../../service/run.ts';
import { BLOOM_FILTERS } from './versions.ts';

/** npm's most used sketch of the most frequent items: a Count-Min sketch with a heap. */
export type TopK = { add(item: string): void; values(): { value: string; frequency: number }[] };
export type TopKClass = new (k: number, errorRate: number, accuracy: number) => TopK;

/** The class `TopK` of npm's bloom-filters, installed into the cache: only a benchmark needs it. */
export async function obtainTopK(report: Report): Promise<TopKClass> {
  const folder = await obtain({
    name: `bloom-filters-${BLOOM_FILTERS}`,
    what: `bloom-filters ${BLOOM_FILTERS} from npm (5 MB)`,
    report,
    make: (into) => install(into, `bloom-filters@${BLOOM_FILTERS}`),
  });
  const loaded: unknown = createRequire(join(folder, 'package.json'))('bloom-filters');
  if (!hasTopK(loaded)) throw new Error(`bloom-filters ${BLOOM_FILTERS} has no TopK`);
  return loaded.TopK;
}

async function install(folder: string, name: string): Promise<void> {
  const args = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', name];
  const { code, stderr } = await run('npm', args);
  if (code !== 0)
    throw new ProvisionError(`npm cannot install ${name}: ${stderr.trim()}`, {
      hint: 'Is the npm registry reachable?',
    });
}

function hasTopK(value: unknown): value is { TopK: TopKClass } {
  return typeof value === 'object' && value !== null && 'TopK' in value && typeof value.TopK === 'function';
}
