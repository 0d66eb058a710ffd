import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { explainHot } from '../hot/ask-hot.ts';
import { explainText } from '../hot/explain-text.ts';
import { JSON_OPTION } from '../hot/options.ts';
import { itemOf } from '../hot/tell.ts';
import { print, printJson } from '../terminal.ts';

export const hotShow: Command = {
  about: 'ITEM: shows all data about an item, and why it is or is not hot',
  options: { json: JSON_OPTION },
  configured: true,
  async run(context) {
    const { json, ...flags } = context.flags;
    const item = itemOf(context, 'hot show');
    const { control } = configure({ ...context, flags });
    const explained = await explainHot(control.socket, item);
    if (json === true) printJson(explained);
    else print(explainText(explained, Date.now()));
    return 0;
  },
};
