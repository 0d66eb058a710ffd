import type { Purged } from '../protect/purge.ts';
import type { Audit } from './audit-file.ts';
import type { FrozenFile } from './frozen-file.ts';
import type { HotCommand } from './hot-command.ts';
import type { NginxView } from './nginx-view.ts';
import type { Overrides } from './overrides.ts';
import type { Commanded, PurgeOrder } from './run-hot-command.ts';

export type OperatorParts = {
  now: () => number;
  audit: Audit;
  frozen: FrozenFile;
  overrides: Overrides;
  nginx: Pick<NginxView, 'purge'>;
  /** Decides by the overrides as they are now; these decisions are those of `by`. */
  apply: (by: string) => void;
  /** Shows nginx what is hot. */
  publish: () => void;
  /** Resolves when the overrides are on disk. */
  save: () => Promise<void>;
};

/** What an operator does to the hot list by command: pin, ban, clear, freeze, thaw and purge. Each goes to the audit log. */
export function createOperator(parts: OperatorParts): Commanded {
  const { now, audit, frozen, overrides, nginx, apply, publish, save } = parts;
  return { command, purge };

  /** Takes effect at once. Rejects if it could not be stored for a restart; it is in effect all the same. */
  async function command(said: Exclude<HotCommand, { do: 'purge' }>): Promise<void> {
    if (said.do === 'freeze') {
      const { by, reason } = said;
      const stored = frozen.freeze({ since: now(), by, reason });
      publish();
      note(said);
      return stored;
    }
    if (said.do === 'thaw') {
      await frozen.thaw();
      note(said);
      publish();
      return;
    }
    if (said.do === 'clear') overrides.clear(said.item);
    else {
      const { do: kind, item, by, reason, until } = said;
      const from = said.do === 'pin' ? said.from : undefined;
      overrides.set({
        kind,
        item,
        reason,
        by,
        ...(from !== undefined && { from }),
        ...(until !== undefined && { until }),
      });
    }
    note(said);
    apply(said.by);
    publish();
    await save();
  }

  async function purge(order: PurgeOrder): Promise<Purged[]> {
    note({ do: 'purge', ...order });
    return nginx.purge(order.item);
  }

  function note(said: { do: string; item?: string | undefined; by: string; reason: string }): void {
    const { do: what, item, by, reason } = said;
    audit.note({ who: by, what, ...(item !== undefined && { item }), reason });
  }
}
