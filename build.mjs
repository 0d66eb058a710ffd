// Builds what is shipped: two scripts for nginx (each for two engines) and one for Node.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { build } from 'esbuild';

// What the njs engine (0.7.9 to 1.0.2) cannot run. esbuild lowers what it can and fails the build on the rest.
const NJS_LACKS = [
  'async-generator',
  'bigint',
  'class',
  'class-field',
  'default-argument',
  'destructuring',
  'for-of',
  'generator',
  'nested-rest-binding',
  'object-rest-spread',
  'optional-catch-binding',
  'optional-chain',
  'nullish-coalescing',
  'regexp-lookbehind-assertions',
  'array-spread',
  'new-target',
  'decorators',
  'top-level-await',
  'logical-assignment',
  'exponent-operator',
  'rest-argument',
];

for (const [engine, lacks] of Object.entries({ njs: NJS_LACKS, qjs: [] })) {
  await nginxScript('njs/main.ts', `hotitem.${engine}.js`, lacks);
  await nginxScript('njs/periodic.ts', `hotitem-periodic.${engine}.js`, lacks);
}
await command();

async function nginxScript(entry, name, lacks) {
  const outfile = `dist/nginx/${name}`;
  const { outputFiles } = await build({
    entryPoints: [entry],
    outfile,
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    external: ['fs'],
    target: 'es2023',
    supported: Object.fromEntries(lacks.map((feature) => [feature, false])),
    logLevel: 'warning',
  });
  // njs 0.7.9 knows `export default x` only, esbuild writes `export { x as default }`.
  const script = outputFiles[0].text;
  const exported = script.replace(/export \{\s*(\w+) as default\s*\};/, 'export default $1;');
  if (exported === script) throw new Error(`${outfile}: no default export found, njs would refuse it`);
  await mkdir(dirname(outfile), { recursive: true });
  await writeFile(outfile, exported);
}

function command() {
  return build({
    entryPoints: ['cli/hotitem.ts'],
    outfile: 'dist/hotitem.mjs',
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    banner: { js: '#!/usr/bin/env node' },
    logLevel: 'warning',
  });
}
