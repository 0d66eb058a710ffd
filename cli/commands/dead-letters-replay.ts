import { createCore } from '../../app/core.ts';
import { openDeadLetters } from '../../app/open-dead-letters.ts';
import { openDelivery } from '../../app/open-delivery.ts';
import { type ReplayedLetters, replayLetters } from '../../reconcile/replay-letters.ts';
import { plainText } from '../../service/plain-text.ts';
import type { DeadLetterBox, KeptLetter } from '../../store/dead-letters/box.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { FILTER_OPTIONS, parseFilter } from '../dead-letters-filter.ts';
import { parseCount } from '../parse-count.ts';
import { createProgress, showWait } from '../progress.ts';
import { isScreen } from '../screen/screen.ts';
import { print, printJson } from '../terminal.ts';

export const deadLettersReplay: Command = {
  about: 'redelivers dead letters to their topic, or to the index',
  options: {
    ...FILTER_OPTIONS,
    limit: { type: 'string', placeholder: 'N', about: 'the oldest N (all)' },
    again: { type: 'boolean', about: 'also redeliver dead letters that were already replayed' },
    'dry-run': { type: 'boolean', about: 'only print how many' },
    json: { type: 'boolean', about: 'print JSON' },
  },
  configured: true,
  async run(context) {
    const { reason, origin, since, until, limit, again, 'dry-run': dryRun, json, ...flags } = context.flags;
    const core = createCore(configure({ ...context, flags }));
    const matches = parseFilter({ reason, origin, since, until }, core.now());
    const most =
      limit === undefined
        ? Number.POSITIVE_INFINITY
        : parseCount('limit', String(limit), { least: 1, most: 999_999_999 });
    const isMeant = (letter: KeptLetter) => matches(letter) && (again === true || !letter.replayed);
    const box = await openDeadLetters(core);
    const progress = createProgress('replayed');
    try {
      const total = isScreen(process.stderr, context.env)
        ? await showWait('counting', countOf(box, isMeant))
        : 0;
      const delivery = await openDelivery(core);
      const result = await replayLetters({
        box,
        deliver: delivery.deliver,
        matches,
        again: again === true,
        limit: most,
        dryRun: dryRun === true,
        onProgress: ({ replayed, refused }) => progress.show(replayed + refused, Math.min(total, most)),
      }).finally(delivery.close);
      progress.end();
      const answer = { from: box.name, to: delivery.name, dryRun: dryRun === true, ...result };
      if (json === true) printJson(answer);
      else print(table(answer));
      return result.refused === 0 ? 0 : 1;
    } finally {
      progress.end();
      await box.close();
    }
  },
};

/** For the progress bar: letters are read once more, but only if there is a terminal. */
async function countOf(box: DeadLetterBox, isMeant: (letter: KeptLetter) => boolean): Promise<number> {
  let count = 0;
  await box.read((letter) => {
    if (isMeant(letter)) count++;
  });
  return count;
}

function table(answer: ReplayedLetters & { from: string; to: string; dryRun: boolean }): string {
  const rows: [string, number][] = [
    [answer.dryRun ? 'would be replayed' : 'replayed', answer.replayed],
    ['replayed before', answer.before],
    ['refused', answer.refused],
  ];
  return [
    `${answer.from} -> ${answer.to}`,
    ...rows.map(([label, count]) => `  ${label.padEnd(18)}${String(count).padStart(12)}`),
    ...answer.examples.map(({ id, reason }) => `    ${id}  ${plainText(reason, 120)}`),
    '',
  ].join('\n');
}
