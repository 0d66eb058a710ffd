// In a process of a test: SIGUSR2 collects garbage and writes what is in use then to $MEMORY_FILE.
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const { MEMORY_FILE } = process.env;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
process.on('SIGUSR2', () => {
  collect();
  writeFileSync(`${MEMORY_FILE}.new`, JSON.stringify(process.memoryUsage()));
  renameSync(`${MEMORY_FILE}.new`, MEMORY_FILE);
});
