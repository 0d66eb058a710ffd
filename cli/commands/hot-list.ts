import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { askHot } from '../hot/ask-hot.ts';
import { hotText } from '../hot/hot-text.ts';
import { JSON_OPTION } from '../hot/options.ts';
import { requireWords } from '../hot/tell.ts';
import { print, printJson } from '../terminal.ts';

export const hotList: Command = {
  about: 'lists hot items with reasons, items held back by the cap, pins and bans',
  options: { json: JSON_OPTION },
  configured: true,
  async run(context) {
    const { json, ...flags } = context.flags;
    requireWords(context, 0, 'hot list: takes no ITEM');
    const { control } = configure({ ...context, flags });
    const list = await askHot(control.socket);
    if (json === true) printJson(list);
    else print(hotText(list));
    return 0;
  },
};
