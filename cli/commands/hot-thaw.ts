import type { Command } from '../command.ts';
import { REASON } from '../hot/options.ts';
import { requireWords, said, tell } from '../hot/tell.ts';

export const hotThaw: Command = {
  about: 'shows hot items to nginx again',
  options: { reason: REASON },
  configured: true,
  async run(context) {
    const { reason, ...flags } = context.flags;
    requireWords(context, 0, 'hot thaw: is for all items, it takes no ITEM');
    return tell({ ...context, flags }, { do: 'thaw', ...said(context, reason) });
  },
};
