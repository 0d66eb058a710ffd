import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { DestinationStream } from 'pino';
import { createDestination } from '../service/log.ts';

const WARN = 40;

/** For `hotitem start`: every line goes into a file, warnings also to the terminal, readable. */
export function startLog(home: string): { destination: DestinationStream; path: string } {
  mkdirSync(home, { recursive: true });
  const path = join(home, 'hotitem.log');
  const file = createDestination({ dest: path, mode: 0o640 });
  return {
    path,
    destination: {
      write(line) {
        file.write(line);
        tell(line);
      },
    },
  };
}

function tell(line: string): void {
  const { level, msg, reason } = JSON.parse(line) as { level: number; msg: string; reason?: string };
  if (level < WARN) return;
  process.stderr.write(`hotitem: ${msg}${reason === undefined ? '' : ` (${reason})`}\n`);
}
