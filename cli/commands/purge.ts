import type { Purged } from '../../protect/purge.ts';
import { plainText } from '../../service/plain-text.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { purgePages } from '../hot/ask-hot.ts';
import { refreshedText } from '../hot/kept-text.ts';
import { REASON } from '../hot/options.ts';
import { itemOf, requireWords, said } from '../hot/tell.ts';
import { print } from '../terminal.ts';

/** Each page takes up to a few requests of 5 s, of a few pages at a time. */
const PATIENCE_MS = 300_000;

export const purge: Command = {
  about: 'ITEM, or --all: refreshes the cached page of a hot item now, for a new price or stock',
  options: { all: { type: 'boolean', about: 'all pages that are kept' }, reason: REASON },
  configured: true,
  async run(context) {
    const { all, reason, ...flags } = context.flags;
    if (all) requireWords(context, 0, 'purge: say ITEM or --all, not both');
    const item = all ? undefined : itemOf(context, 'purge');
    const { control } = configure({ ...context, flags });
    const order = { ...(item !== undefined && { item }), ...said(context, reason) };
    const purged = await purgePages(control.socket, order, PATIENCE_MS);
    for (const one of purged) print(`${plainText(one.item, 60)}: ${outcome(one)}\n`);
    if (purged.length === 0) print('no page is kept\n');
    return purged.some((one) => 'reason' in one) ? 1 : 0;
  },
};

function outcome(one: Purged): string {
  if ('reason' in one) return plainText(one.reason, 300);
  return refreshedText(one.ageMs);
}
