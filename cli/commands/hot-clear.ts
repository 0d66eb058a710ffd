import type { Command } from '../command.ts';
import { REASON } from '../hot/options.ts';
import { itemOf, said, tell } from '../hot/tell.ts';

export const hotClear: Command = {
  about: 'ITEM: removes the pin or ban of an item',
  options: { reason: REASON },
  configured: true,
  async run(context) {
    const { reason, ...flags } = context.flags;
    const item = itemOf(context, 'hot clear');
    return tell({ ...context, flags }, { do: 'clear', item, ...said(context, reason) });
  },
};
