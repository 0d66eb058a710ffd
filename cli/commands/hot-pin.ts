import type { Command } from '../command.ts';
import { FOR, REASON, UNTIL } from '../hot/options.ts';
import { itemOf, said, tell, timesOf } from '../hot/tell.ts';

export const hotPin: Command = {
  about: 'ITEM: makes an item hot, independent of its signals; optionally for a time',
  options: {
    reason: REASON,
    for: FOR,
    from: { type: 'string', placeholder: 'TIME', about: 'from when: ISO 8601 (now)' },
    until: UNTIL,
  },
  configured: true,
  async run(context) {
    const { reason, for: lasts, from, until, ...flags } = context.flags;
    const item = itemOf(context, 'hot pin');
    const times = timesOf({ for: lasts, from, until });
    return tell({ ...context, flags }, { do: 'pin', item, ...times, ...said(context, reason) });
  },
};
