import { basename } from 'node:path';
import { type Finding, placeOf } from '../../service/finding.ts';
import { inherited, type Spot } from '../conf/site.ts';
import type { Facts } from './facts.ts';

const BUNDLES: Readonly<Record<string, 'njs' | 'qjs'>> = {
  'hotitem.njs.js': 'njs',
  'hotitem.qjs.js': 'qjs',
  'hotitem-periodic.njs.js': 'njs',
  'hotitem-periodic.qjs.js': 'qjs',
};

/** Whether our script is the one for the engine that runs it. */
export function engineFindings({ site }: Facts): Finding[] {
  return site.spots.flatMap((spot): Finding[] => {
    const bundle = bundleOf(spot);
    const set = inherited(spot, 'js_engine');
    const engine = set?.args[0] ?? 'njs';
    if (bundle === undefined || bundle === engine) return [];
    return [
      {
        id: 'engine-mismatch',
        severity: bundle === 'qjs' ? 'error' : 'warning',
        what: `the script for the engine ${bundle} runs on ${engine}`,
        where: placeOf(set ?? spot.directive),
        why:
          bundle === 'qjs'
            ? 'the njs engine does not support the language version of that script'
            : 'that script is for an older language version, and slower there',
        fix: `include engine-${engine}.conf in place of engine-${bundle}.conf (hotitem nginx install --engine ${engine})`,
      },
    ];
  });
}

function bundleOf({ directive: { name, args } }: Spot): 'njs' | 'qjs' | undefined {
  const file = basename(args.at(-1) ?? '');
  return name === 'js_import' && Object.hasOwn(BUNDLES, file) ? BUNDLES[file] : undefined;
}
