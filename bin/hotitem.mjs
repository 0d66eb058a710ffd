#!/usr/bin/env node
// The command of the installed package. The program is built when the package is packed; this file is there in any
// case, so that a package without a program reports that, instead of being installed without a command.
import { existsSync } from 'node:fs';
import { requireNode } from './require-node.mjs';

requireNode();
const program = new URL('../dist/hotitem.mjs', import.meta.url);
if (!existsSync(program)) {
  process.stderr.write(
    'hotitem: not built: dist/ is missing. Run `npm run build` in the clone, before `npm pack` if npm is set to ignore scripts.\n',
  );
  process.exit(1);
}
await import(program.href);
