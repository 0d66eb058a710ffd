import { createCore } from '../../app/core.ts';
import { openDeadLetters } from '../../app/open-dead-letters.ts';
import { Trouble } from '../../service/trouble.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { parseTime } from '../parse-time.ts';
import { createProgress, showWait } from '../progress.ts';
import { askYes, print, printJson } from '../terminal.ts';

export const deadLettersPurge: Command = {
  about: 'deletes dead letters permanently, up to now or to --until',
  options: {
    until: {
      type: 'string',
      placeholder: 'TIME',
      about: 'only dead letters before this time (now): ISO 8601, or like -7d',
    },
    yes: { type: 'boolean', about: 'do not ask' },
    'dry-run': { type: 'boolean', about: 'only print how many' },
    json: { type: 'boolean', about: 'print JSON' },
  },
  configured: true,
  async run(context) {
    const { until = 'now', yes, 'dry-run': dryRun, json, ...flags } = context.flags;
    const core = createCore(configure({ ...context, flags }));
    const time = parseTime('until', String(until), core.now());
    const box = await openDeadLetters(core);
    const progress = createProgress('read');
    try {
      let letters = 0;
      let notReplayed = 0;
      await box.read((letter) => {
        if (letter.time >= time) return;
        progress.show(++letters);
        if (!letter.replayed) notReplayed++;
      });
      progress.end();
      const doIt = dryRun !== true && letters > 0;
      if (doIt && yes !== true)
        await confirm(`delete ${letters} dead letters (${notReplayed} never replayed) from ${box.name}?`);
      if (doIt) await showWait('deleting', box.purge(time));
      const answer = {
        from: box.name,
        until: new Date(time).toISOString(),
        dryRun: dryRun === true,
        letters,
        notReplayed,
      };
      const verb = dryRun === true ? 'would delete' : 'deleted';
      const line = `${verb} ${letters} dead letters (${notReplayed} never replayed) from ${box.name}\n`;
      if (json === true) printJson(answer);
      else print(line);
      return 0;
    } finally {
      progress.end();
      await box.close();
    }
  },
};

/** Throws if the answer is not yes, or there is no terminal. */
async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) throw new Trouble(question, 'Nothing was deleted. Use --yes without a terminal.');
  if (!(await askYes(`${question} `))) throw new Trouble('nothing was deleted');
}
