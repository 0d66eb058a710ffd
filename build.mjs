// Builds what is shipped: two scripts for nginx (each for two engines), the live page, one for Node, and its manual page.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const execFileAsync = promisify(execFile);

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

/** What clients load at their start, and never call for us. */
const NOT_CALLED = [
  // Elasticsearch's, for a helper and for what others trace.
  /^(apache-arrow\/|@opentelemetry\/semantic-conventions$)/,
  // platformatic's, for schemas of records.
  /^\.\/registries\/index\.js$/,
];

/** ajv for platformatic, which has 38 schemas, and checks with two of them unless it is `strict`: each is compiled when it is used. */
const AJV = `import { Ajv2020 as Ajv } from 'ajv/dist/2020.js';
  export class Ajv2020 extends Ajv {
    constructor(options) { super({ ...options, validateSchema: false }); }
    compile(schema) {
      let compiled;
      const validate = (data) => {
        compiled ??= super.compile(schema);
        const valid = compiled(data);
        validate.errors = compiled.errors;
        return valid;
      };
      return validate;
    }
  }`;

await Promise.all([nginxScripts('njs', NJS_LACKS), nginxScripts('qjs', []), programs(), dashboards()]);

async function nginxScripts(engine, lacks) {
  const define = { QUICKJS: String(engine === 'qjs') };
  await Promise.all([
    nginxScript('njs/main.ts', `hotitem.${engine}.js`, { lacks, define }),
    nginxScript('njs/periodic.ts', `hotitem-periodic.${engine}.js`, { lacks, define }),
  ]);
}

async function programs() {
  const bundled = await Promise.all([page(), command()]);
  await Promise.all([licences(bundled), manual()]);
}

async function nginxScript(entry, name, { lacks, define }) {
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
    define,
    logLevel: 'warning',
  });
  // njs 0.7.9 knows `export default x` only, esbuild writes `export { x as default }`.
  const script = outputFiles[0].text;
  const exported = script.replace(/export \{\s*(\w+) as default\s*\};/, 'export default $1;');
  if (exported === script) throw new Error(`${outfile}: no default export found, njs would reject it`);
  await mkdir(dirname(outfile), { recursive: true });
  await writeFile(outfile, exported);
}

/** What a browser gets: supported by all of the last years. Returns what was bundled. */
async function page() {
  // Of builds before this one.
  await rm('dist/page', { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: [
      { in: 'page/main.ts', out: 'page' },
      { in: 'page/page.css', out: 'page' },
    ],
    outdir: 'dist/page',
    bundle: true,
    minify: true,
    // What only the view of one item needs is loaded with the first one that is opened.
    splitting: true,
    // No hash: page.conf names each file. Nothing caches them.
    chunkNames: '[name]',
    format: 'esm',
    platform: 'browser',
    target: ['es2022', 'chrome109', 'firefox115', 'safari16.4'],
    metafile: true,
    logLevel: 'warning',
  });
  await copyFile('page/index.html', 'dist/page/index.html');
  return metafile;
}

/** What Grafana and Kibana import. */
async function dashboards() {
  const grafana = await load('monitoring/dashboard.ts');
  await write('dist/grafana/hotitem.json', `${JSON.stringify(grafana.createDashboard(), undefined, 2)}\n`);
  const { createObjects, streamsOf, toNdjson } = await load('kibana/objects.ts');
  const { createRules } = await load('kibana/rules.ts');
  const streams = streamsOf('hot_item');
  await write('dist/kibana/hotitem.ndjson', toNdjson(createObjects(streams)));
  await write('dist/kibana/hotitem-rules.ndjson', toNdjson(createRules(streams)));
}

/** A module of the sources, to run it here. */
async function load(entry) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

async function write(path, text) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/**
 * What only some configurations need is imported where it is chosen, and has a file of its own: DuckDB, Elasticsearch's
 * client and Kafka's each cost tens of megabytes and tenths of a second. Packages are bundled, which halves the time of a
 * start, except the `dependencies` of package.json: those that contain binaries, and kafkajs, whose files are patched. Returns what was bundled.
 */
async function command() {
  const { dependencies } = JSON.parse(await readFile('package.json', 'utf8'));
  const { metafile } = await build({
    entryPoints: ['cli/hotitem.ts'],
    outdir: 'dist',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'chunks/[name]-[hash]',
    splitting: true,
    bundle: true,
    external: Object.keys(dependencies),
    plugins: [...NOT_CALLED.map(without), ajvLater(), kafkajsFiles()],
    // The WebAssembly in its code, not in a file beside it.
    alias: { '@platformatic/wasm-utils': '@platformatic/wasm-utils/bundled' },
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Puts constants in their places: a bundle keeps them as variables, which V8 looks up for each byte of a line.
    minifySyntax: true,
    sourcemap: true,
    // Node reads the map at the start, where it is asked to, and would keep the sources in memory.
    sourcesContent: false,
    metafile: true,
    // Packages that are CommonJS call `require` for what is built into Node.
    banner: {
      js: [
        '#!/usr/bin/env node',
        "import { createRequire as requireOf } from 'node:module';",
        'const require = requireOf(import.meta.url);',
      ].join('\n'),
    },
    legalComments: 'none',
    logLevel: 'warning',
  });
  const bundled = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  if (bundled.some((path) => path.endsWith('/zod/v4/locales/de.js')))
    throw new Error("zod is bundled with all its languages: import it by import * as z from 'zod'");
  // Of builds before this one.
  for (const name of await readdir('dist/chunks')) {
    const path = `dist/chunks/${name}`;
    if (metafile.outputs[path] === undefined) await rm(path, { force: true });
  }
  return metafile;
}

/** Leaves out what a package loads at its start, and never calls for us. */
function without(filter) {
  return {
    name: `without ${filter}`,
    setup(build) {
      build.onResolve({ filter }, ({ path }) => ({ path, namespace: 'without' }));
      build.onLoad({ filter, namespace: 'without' }, () => ({ contents: 'export {}' }));
    },
  };
}

/** Puts `AJV` in the place of ajv. */
function ajvLater() {
  const name = 'ajv later';
  const resolveDir = join(import.meta.dirname, 'node_modules/@platformatic/kafka');
  return {
    name,
    setup(build) {
      build.onResolve({ filter: /^ajv\/dist\/2020\.js$/ }, ({ path, namespace }) =>
        namespace === name ? undefined : { path, namespace: name },
      );
      build.onLoad({ filter: /./, namespace: name }, () => ({ contents: AJV, resolveDir }));
    },
  };
}

/**
 * kafkajs, whose files are patched as they are loaded: puts functions that find them in the bundle in the place of those of
 * store/kafka/kafkajs/patches/files.ts, which find them on disk. Each file says that it is loaded.
 */
function kafkajsFiles() {
  return {
    name: 'kafkajs',
    setup(build) {
      const root = join(import.meta.dirname, 'node_modules/kafkajs');
      build.onLoad({ filter: /\/kafkajs\/patches\/files\.ts$/ }, async () => {
        const files = (await readdir(join(root, 'src'), { recursive: true }))
          .filter((file) => file.endsWith('.js') && !/\.(?:spec|test)\.js$|__tests__/.test(file))
          .map((file) => `src/${file.slice(0, -'.js'.length)}`);
        const names = ['index', 'package.json', ...files];
        return {
          resolveDir: root,
          contents: `import loaded from 'kafkajs-loaded';
            const files = { ${names.map((name) => `'${name}': () => require('./${name}')`)} };
            export const loadKafkajs = (file) => files[file]();
            export const loadedKafkajs = (file) => loaded.get(file);`,
        };
      });
      build.onLoad({ filter: /\/node_modules\/kafkajs\/src\/.*\.js$/ }, async ({ path }) => {
        // Below a link, the path is another one than `root`.
        const [name] = path.slice(0, -'.js'.length).split('/node_modules/kafkajs/').slice(-1);
        return {
          contents: `require('kafkajs-loaded').set('${name}', module);${await readFile(path, 'utf8')}`,
        };
      });
      build.onResolve({ filter: /^kafkajs-loaded$/ }, ({ path }) => ({ path, namespace: path }));
      build.onLoad({ filter: /./, namespace: 'kafkajs-loaded' }, () => ({
        contents: 'module.exports = new Map();',
      }));
    },
  };
}

/** The licences of the packages that are bundled, which ask for their text to be with every copy. */
async function licences(metafiles) {
  const inputs = metafiles
    .flatMap(({ outputs }) => Object.values(outputs))
    .flatMap(({ inputs }) => Object.keys(inputs));
  const folders = new Set(inputs.map((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]));
  folders.delete(undefined);
  const texts = await Promise.all([...folders].sort().map(licenceOf));
  await writeFile('dist/licenses.txt', texts.join(`\n${'-'.repeat(80)}\n\n`));
}

async function licenceOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
  if (files.length === 0) throw new Error(`${name} ${version} (${license}): no licence text to ship`);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return `${name} ${version} (${license})\n\n${texts.join('\n')}`;
}

/** hotitem(1), from the table of commands of what was built. */
async function manual() {
  const { stdout } = await execFileAsync(process.execPath, ['dist/hotitem.mjs', 'man']);
  await writeFile('dist/hotitem.1', stdout);
}
