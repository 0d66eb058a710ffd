import type { Command } from '../command.ts';
import { REASON } from '../hot/options.ts';
import { requireWords, said, tell } from '../hot/tell.ts';

export const hotFreeze: Command = {
  about: 'hides all hot items from nginx, even after a restart, until hot thaw',
  options: { reason: REASON },
  configured: true,
  async run(context) {
    const { reason, ...flags } = context.flags;
    requireWords(context, 0, 'hot freeze: is for all items, it takes no ITEM');
    return tell({ ...context, flags }, { do: 'freeze', ...said(context, reason) });
  },
};
