import { reasonOf } from '../../service/log.ts';

export type GroupWatch = {
  /** Checks the members of the group; `topics` is what all of them should subscribe to. Never rejects. */
  look(topics: () => Promise<string[]>): void;
  /** Why the group cannot work: a member reads another topic. */
  failure(): string | undefined;
};

export type GroupWatchOptions = { group: string; topic: string; onFailure: (error: unknown) => void };

/**
 * Finds members of a group that subscribe to another topic: two environments on one cluster whose groups have the same name. The group
 * leader assigns only the partitions of its own topic, to all members alike, so both are stalled, completely or in part.
 */
export function watchGroup({ group, topic, onFailure }: GroupWatchOptions): GroupWatch {
  let failure: string | undefined;
  let looks = 0;
  return { look: (topics) => void look(topics).catch(onFailure), failure: () => failure };

  async function look(topics: () => Promise<string[]>): Promise<void> {
    const mine = ++looks;
    const others = new Set(await topics().catch(explain));
    others.delete(topic);
    // The group has changed in the meantime; the next check tells.
    if (mine !== looks) return;
    failure = others.size === 0 ? undefined : describe([...others].sort());
    if (failure !== undefined) onFailure(new Error(failure));
  }

  function describe(others: string[]): string {
    const named = others.slice(0, 3).join(', ');
    return `group ${group} also reads ${named}: set a separate group for each topic (kafka.group)`;
  }

  function explain(error: unknown): never {
    throw new Error(`cannot list the members of group ${group}: ${reasonOf(error)}`, { cause: error });
  }
}
