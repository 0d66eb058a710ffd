import { createCore } from '../../app/core.ts';
import { openDeadLetters } from '../../app/open-dead-letters.ts';
import { plainText } from '../../service/plain-text.ts';
import { Trouble } from '../../service/trouble.ts';
import type { KeptLetter } from '../../store/dead-letters/box.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { toJson } from '../dead-letters-json.ts';
import { UsageError } from '../parse-command-line.ts';
import { print, printJson } from '../terminal.ts';

export const deadLettersShow: Command = {
  about: 'ID: prints one dead letter in full',
  options: { json: { type: 'boolean', about: 'print JSON' } },
  configured: true,
  async run(context) {
    const [id, ...rest] = context.positionals;
    if (id === undefined || rest.length > 0) {
      throw new UsageError('dead-letters show: needs one ID, as `hotitem dead-letters list` prints it');
    }
    const { json, ...flags } = context.flags;
    const box = await openDeadLetters(createCore(configure({ ...context, flags })));
    const letter = await box.find(id).finally(box.close);
    if (letter === undefined) {
      throw new Trouble(
        `there is no dead letter ${plainText(id, 60)} in ${box.name}`,
        '`hotitem dead-letters list` prints all of them.',
      );
    }
    if (json === true) printJson(toJson(letter));
    else print(text(letter));
    return 0;
  },
};

function text({ id, time, recorded, reason, origin, value, replayed }: KeptLetter): string {
  return [
    `id        ${id}`,
    `time      ${new Date(time).toISOString()}`,
    `recorded  ${recorded === undefined ? 'unknown' : new Date(recorded).toISOString()}`,
    `replayed  ${replayed ? 'yes' : 'no'}`,
    `origin    ${plainText(origin)}`,
    `reason    ${plainText(reason)}`,
    `value     ${value.length} bytes`,
    plainText(value.toString('utf8')),
    '',
  ].join('\n');
}
