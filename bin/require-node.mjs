import { readFileSync } from 'node:fs';

/** Ends the process where this Node is older than package.json says. Runs on every Node that reads modules. */
export function requireNode() {
  const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const oldest = engines.node.replace('>=', '');
  if (weight(process.versions.node) >= weight(oldest)) return;
  process.stderr.write(`hotitem: needs Node ${oldest} or newer, this is ${process.versions.node}\n`);
  process.exit(1);
}

function weight(version) {
  const [major, minor, patch] = version.split('.').map(Number);
  return major * 1e6 + minor * 1e3 + patch;
}
