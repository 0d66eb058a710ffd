import { createCore } from '../../app/core.ts';
import { openDeadLetters } from '../../app/open-dead-letters.ts';
import { plainText } from '../../service/plain-text.ts';
import type { KeptLetter } from '../../store/dead-letters/box.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { FILTER_OPTIONS, parseFilter } from '../dead-letters-filter.ts';
import { toJson } from '../dead-letters-json.ts';
import { parseCount } from '../parse-count.ts';
import { createProgress } from '../progress.ts';
import { print, printJson, tell } from '../terminal.ts';

const CUT = { reason: 60, origin: 40, value: 60 } as const;

export const deadLettersList: Command = {
  about: 'lists dead letters (events that could not be delivered) with reasons; the latest last',
  options: {
    ...FILTER_OPTIONS,
    limit: { type: 'string', placeholder: 'N', about: 'the latest N (50)' },
    json: { type: 'boolean', about: 'print JSON, one dead letter per line' },
  },
  configured: true,
  async run(context) {
    const { reason, origin, since, until, limit = '50', json, ...flags } = context.flags;
    const core = createCore(configure({ ...context, flags }));
    const matches = parseFilter({ reason, origin, since, until }, core.now());
    const most = parseCount('limit', String(limit), { least: 1, most: 10_000 });
    const box = await openDeadLetters(core);
    const progress = createProgress('read');
    const latest: KeptLetter[] = [];
    let count = 0;
    try {
      await box.read((letter) => {
        if (!matches(letter)) return;
        latest.push(cut(letter, json === true));
        if (latest.length > most) latest.shift();
        progress.show(++count);
      });
    } finally {
      progress.end();
      await box.close();
    }
    latest.sort((a, b) => a.time - b.time);
    if (json === true) {
      for (const letter of latest) printJson(toJson(letter));
      return 0;
    }
    print(table(latest));
    tell(`${summary(latest.length, count)} in ${box.name}\n`);
    return 0;
  },
};

/** Ten thousand complete letters might not fit into memory. */
function cut(letter: KeptLetter, whole: boolean): KeptLetter {
  return { ...letter, value: Buffer.from(letter.value.subarray(0, whole ? 64 * 1024 : CUT.value * 4)) };
}

function table(letters: KeptLetter[]): string {
  if (letters.length === 0) return '';
  const width = Math.max(2, ...letters.map(({ id }) => id.length));
  const line = ([id, time, state, reason, origin, value]: [string, string, string, string, string, string]) =>
    `${id.padEnd(width)}  ${time.padEnd(24)}  ${state.padEnd(8)}  ${reason.padEnd(CUT.reason)}  ${origin.padEnd(CUT.origin)}  ${value}\n`;
  const rows = letters.map(({ id, time, reason, origin, value, replayed }) =>
    line([
      id,
      new Date(time).toISOString(),
      replayed ? 'replayed' : '',
      plainText(reason, CUT.reason),
      plainText(origin, CUT.origin),
      plainText(value.toString('utf8'), CUT.value),
    ]),
  );
  return [line(['ID', 'TIME', 'STATE', 'REASON', 'ORIGIN', 'VALUE']), ...rows].join('');
}

function summary(shown: number, count: number): string {
  const all = count === 1 ? '1 dead letter' : `${count} dead letters`;
  return shown === count ? all : `the latest ${shown} of ${all}`;
}
