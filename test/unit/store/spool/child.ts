/*
 * A process of its own that uses a spool: `child.ts TASK DIR [FIRST]`.
 *   append  appends events from number FIRST on for ever. Writes `FROM TO` when these numbers are kept, `refused CODE`
 *           when they are not, and then appends them again
 *   hold    opens the spool, writes `open`, and keeps it
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SpoolError } from '../../../../store/spool/error.ts';
import { openSpool, type Spool } from '../../../../store/spool/spool.ts';

const [task, dir = '', first = '0'] = process.argv.slice(2);

main().catch((error: unknown) => {
  say(error instanceof SpoolError ? `refused ${error.code}: ${error.message}` : String(error));
  process.exitCode = 1;
});

async function main(): Promise<void> {
  const spool = await openSpool({
    dir,
    maxBytes: 1024 * 1024 * 1024,
    segmentBytes: 20_000,
    fsync: 'never',
    cursors: ['a'],
  });
  say('open');
  if (task === 'hold') setInterval(() => {}, 1000);
  else await Promise.all([0, 1, 2].map(() => appendForEver(spool)));
}

let next = Number(first);

async function appendForEver(spool: Spool): Promise<void> {
  while (true) {
    const from = next;
    const count = 1 + (from % 50);
    next += count;
    await append(
      spool,
      Array.from({ length: count }, (_, i) => `{"n":${from + i}}`),
    );
    say(`${from} ${from + count - 1}`);
  }
}

async function append(spool: Spool, lines: string[]): Promise<void> {
  while (true) {
    try {
      await spool.appendLines(lines);
      return;
    } catch (error) {
      if (!(error instanceof SpoolError && error.retriable)) throw error;
      say(`refused ${error.code}`);
      await sleep(20);
    }
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
