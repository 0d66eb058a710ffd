import { serviceUid } from '../../app/service-uid.ts';
import { messageOf, webhookOf } from '../../app/wire-webhooks.ts';
import { reasonOf } from '../../service/log.ts';
import { plainText } from '../../service/plain-text.ts';
import { Trouble } from '../../service/trouble.ts';
import { post } from '../../webhooks/post.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { UsageError } from '../parse-command-line.ts';
import { print } from '../terminal.ts';

export const webhookTest: Command = {
  about: '[NAME]: posts a test message to one webhook, or to all, and prints the response',
  options: {},
  configured: true,
  async run(context) {
    const { webhooks, node, home } = configure(context);
    const [name, ...more] = context.positionals;
    if (more.length > 0) throw new UsageError('webhook test: takes one NAME at most');
    const asked = webhooks.filter((one) => name === undefined || one.name === name);
    if (asked.length === 0)
      throw new Trouble(
        name === undefined ? 'no webhook is configured' : `no webhook has the name ${plainText(name, 60)}`,
        'Webhooks are configured in hotitem.yml, under webhooks.',
      );
    const uid = serviceUid({ home });
    const answers = await Promise.all(
      asked.map(async (one) => {
        const began = Date.now();
        const text = `${one.name}: `;
        try {
          const status = await post(
            { ...webhookOf(one), uid },
            messageOf('hot_item.test', { node }, began),
            began,
          );
          return { ok: true, text: `${text}answered ${status} in ${Date.now() - began} ms` };
        } catch (error) {
          return { ok: false, text: `${text}not delivered: ${plainText(reasonOf(error), 300)}` };
        }
      }),
    );
    for (const { text } of answers) print(`${text}\n`);
    return answers.every(({ ok }) => ok) ? 0 : 1;
  },
};
