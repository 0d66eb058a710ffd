// Ends itself with status 3 while a file hangs: `end-process-child.ts PIPE`, or none without PIPE.
import { open } from 'node:fs/promises';
import { endProcessSoon } from '../../../service/end-process.ts';

const [pipe] = process.argv.slice(2);
process.once('exit', () => process.stdout.write('exit'));
if (pipe !== undefined) open(pipe, 'w').catch(() => {});
setTimeout(() => void endProcessSoon(3), 50);
