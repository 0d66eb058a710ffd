// Ends what a test process has started once that process is gone, however it went: `kill -9` and Ctrl-C run no exit
// handler, and jest shows its tests a copy of `process` whose handlers never run. Reads one command a line from stdin:
// `group PGID`, `folder PATH`, each taken back by `-group PGID`, `-folder PATH`; acts when stdin ends.
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const held = new Set();

createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line.startsWith('-')) held.delete(line.slice(1));
    else held.add(line);
  })
  .on('close', () => {
    const of = (kind) =>
      [...held].filter((line) => line.startsWith(kind)).map((line) => line.slice(kind.length));
    for (const group of of('group ')) killGroup(Number(group));
    for (const folder of of('folder ')) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

function killGroup(group) {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
