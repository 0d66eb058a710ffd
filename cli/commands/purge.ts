import { plainText } from '../../service/plain-text.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { commandHot } from '../hot/ask-hot.ts';
import { keptText } from '../hot/kept-text.ts';
import { REASON } from '../hot/options.ts';
import { itemOf, requireWords, said } from '../hot/tell.ts';
import { print } from '../terminal.ts';

/** Each page takes up to a few requests of 5 s, of a few pages at a time. */
const PATIENCE_MS = 300_000;

export const purge: Command = {
  about: 'ITEM, or --all: asks for the kept page of a hot item now, for a new price or stock',
  options: { all: { type: 'boolean', about: 'all pages that are kept' }, reason: REASON },
  configured: true,
  async run(context) {
    const { all, reason, ...flags } = context.flags;
    if (all) requireWords(context, 0, 'purge: say ITEM or --all, not both');
    const item = all ? undefined : itemOf(context, 'purge');
    const { control } = configure({ ...context, flags });
    const command = { do: 'purge' as const, ...(item !== undefined && { item }), ...said(context, reason) };
    const list = await commandHot(control.socket, command, PATIENCE_MS);
    // An item may be hot by several signals, and has one page.
    const pages = new Map(
      list.hot.flatMap(({ item: one, page }) =>
        page?.state === 'kept' && (item === undefined || one === item) ? [[one, page]] : [],
      ),
    );
    for (const [one, page] of pages) print(`${plainText(one, 60)}: ${keptText(page, list.now)}\n`);
    if (pages.size === 0) print('no page is kept\n');
    return 0;
  },
};
