import type { Command } from '../command.ts';
import { FOR, REASON, UNTIL } from '../hot/options.ts';
import { itemOf, said, tell, timesOf } from '../hot/tell.ts';

export const hotBan: Command = {
  about: 'ITEM: keeps an item from being hot, despite signals and pins',
  options: { reason: REASON, for: FOR, until: UNTIL },
  configured: true,
  async run(context) {
    const { reason, for: lasts, until, ...flags } = context.flags;
    const item = itemOf(context, 'hot ban');
    const { until: end } = timesOf({ for: lasts, until });
    const times = end === undefined ? {} : { until: end };
    return tell({ ...context, flags }, { do: 'ban', item, ...times, ...said(context, reason) });
  },
};
