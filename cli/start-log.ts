import { join } from 'node:path';
import type { DestinationStream } from 'pino';
import { createDestination } from '../service/log.ts';
import { makeFolder } from '../service/make-folder.ts';
import { plainText } from '../service/plain-text.ts';
import { tell } from './terminal.ts';

const WARN = 40;

/** For `hotitem start`: all lines go to a file, warnings also to the terminal in readable form. */
export function startLog(home: string): { destination: DestinationStream; path: string } {
  makeFolder(home, 0o755);
  const path = join(home, 'hotitem.log');
  const file = createDestination({ dest: path, mode: 0o640 });
  return {
    path,
    destination: {
      write(line) {
        file.write(line);
        show(line);
      },
    },
  };
}

function show(line: string): void {
  const { level, msg, reason } = JSON.parse(line) as { level: number; msg: string; reason?: string };
  if (level < WARN) return;
  tell(`hotitem: ${plainText(msg)}${reason === undefined ? '' : ` (${plainText(String(reason))})`}\n`);
}
