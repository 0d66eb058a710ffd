// What `npm start`, `npm test`, `npm run bench`, `npm run build` and `npm pack` run first. Uses nothing but Node, so that it
// works on a fresh clone: installs the packages when they are missing, builds, and starts the task. `build` is no more
// than that.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requireNode } from './bin/require-node.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const [task, ...args] = process.argv.slice(2);

/** Of each step, for the table of `npm test`. */
const seconds = {};

requireNode();
installPackages();
if (!hasDuckdb()) {
  process.stderr.write(
    `hotitem: npm has not installed DuckDB for ${process.platform} ${process.arch}: the embedded index cannot be used. If there is a package for it (@duckdb/node-bindings-…), npm install --include=optional fetches it.\n`,
  );
}
run('building', process.execPath, [join(root, 'build.mjs')]);
process.env.BOOTSTRAP_SECONDS = JSON.stringify(seconds);
if (task !== 'build') await handOver();

function installPackages() {
  if (installed()) return;
  // Not `npm ci`: it refuses a lock file that does not list the optional packages of every other platform.
  const npm = [
    'install',
    '--no-save',
    ...(process.stderr.isTTY ? [] : ['--no-progress']),
    '--loglevel=error',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    // Whatever the environment says: NODE_ENV=production leaves the compiler out, and npm hands the flags of
    // `npm pack --dry-run` or `npm install -g` on to this npm.
    '--include=dev',
    '--no-dry-run',
    '--no-global',
  ];
  // At first with what npm's cache knows, which saves a question for each package. A cache that is older than the lock file does not
  // know its versions, and npm then asks for none of them.
  const { status } = spawn('installing the npm packages (about half a minute the first time)', 'npm', [
    ...npm,
    '--prefer-offline',
  ]);
  if (status !== 0) run('asking the npm registry for what its cache does not know', 'npm', npm);
}

// npm writes node_modules/.package-lock.json last: the packages are there when it names the same versions as ours.
function installed() {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const have = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  const want = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(want).every(
    ([path, entry]) => path === '' || entry.optional || have[path]?.version === entry.version,
  );
}

// Its native part is an optional package, one for each platform: npm says nothing where it cannot be installed.
function hasDuckdb() {
  const name = `node-bindings-${process.platform}-${process.arch}`;
  return [name, `${name}-musl`].some((one) =>
    existsSync(join(root, 'node_modules/@duckdb', one, 'duckdb.node')),
  );
}

function run(what, command, commandArgs) {
  const { status, error } = spawn(what, command, commandArgs);
  if (error || status !== 0) {
    stop(
      `${what} failed${error ? `: ${error.message}` : ''}. Is the npm registry reachable? See the lines above.`,
    );
  }
}

function spawn(what, command, commandArgs) {
  process.stderr.write(`hotitem: ${what} …\n`);
  const start = performance.now();
  const result = spawnSync(command, commandArgs, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  const step = command === 'npm' ? 'packages' : 'build';
  seconds[step] = (seconds[step] ?? 0) + (performance.now() - start) / 1000;
  return result;
}

async function handOver() {
  if (task === 'start') {
    process.argv.splice(1, process.argv.length - 1, join(root, 'dist/hotitem.mjs'), 'start', ...args);
    await import('./dist/hotitem.mjs');
    return;
  }
  const { tsImport } = await import('tsx/esm/api');
  process.argv.splice(1, process.argv.length - 1, join(root, task, 'main.ts'), ...args);
  await tsImport(`./${task}/main.ts`, import.meta.url);
}

function stop(message) {
  process.stderr.write(`hotitem: ${message}\n`);
  process.exit(1);
}
