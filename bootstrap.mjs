// What `npm start`, `npm test` and `npm run bench` run first. Uses nothing but Node, so that it works on a fresh clone:
// installs the packages when they are missing, builds, and hands over.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDS = [20, 19, 4];
const root = dirname(fileURLToPath(import.meta.url));
const [task, ...args] = process.argv.slice(2);

requireNode();
installPackages();
run('building', process.execPath, [join(root, 'build.mjs')]);
await handOver();

function requireNode() {
  const [major, minor, patch] = process.versions.node.split('.').map(Number);
  const have = major * 1e6 + minor * 1e3 + patch;
  const need = NEEDS[0] * 1e6 + NEEDS[1] * 1e3 + NEEDS[2];
  if (have < need) stop(`hotitem needs Node ${NEEDS.join('.')} or newer, this is ${process.versions.node}`);
}

function installPackages() {
  if (installed()) return;
  // Not `npm ci`: it refuses a lock file that does not list the optional packages of every other platform.
  const args = ['install', '--no-save', '--no-progress', '--loglevel=error'];
  run('installing the npm packages (about half a minute the first time)', 'npm', args);
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

function run(what, command, commandArgs) {
  process.stderr.write(`hotitem: ${what} …\n`);
  const { status, error } = spawnSync(command, commandArgs, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error || status !== 0) {
    stop(
      `${what} failed${error ? `: ${error.message}` : ''}. Is the npm registry reachable? See the lines above.`,
    );
  }
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
