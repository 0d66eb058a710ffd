import { byId, el } from '../dom.ts';
import { count, timeOfDay } from '../words.ts';

/*
 * The view `#/items`: the ranking, asked of the index every two seconds while it is looked at.
 */

type Ranking = { rank: 'people' | 'all'; to: number; items: RankedItem[] };
type RankedItem = Record<(typeof COLUMNS)[number], number> & {
  item: string;
  last: number;
  catalogue?: { name?: string };
};

const COLUMNS = ['views', 'visitors', 'bots', 'prefetches', 'others', 'all'] as const;
const EVERY_MS = 2_000;
const PATIENCE_MS = 15_000;

export function createItemsView(): { show(isShown: boolean): void } {
  const span = byId('window') as HTMLSelectElement;
  const rank = byId('rank') as HTMLSelectElement;
  let isShown = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking: AbortController | undefined;
  for (const choice of [span, rank]) choice.addEventListener('change', refresh);
  document.addEventListener('visibilitychange', refresh);
  return {
    show(shown) {
      if (isShown === shown) return;
      isShown = shown;
      refresh();
    },
  };

  function refresh(): void {
    clearTimeout(timer);
    // What was asked before the last change of mind must not be shown over the newer answer.
    asking?.abort();
    if (isShown && !document.hidden) void ask();
  }

  async function ask(): Promise<void> {
    const asked = new AbortController();
    asking = asked;
    const patience = setTimeout(() => asked.abort(new Error('no answer in time')), PATIENCE_MS);
    try {
      const reply = await fetch(`/api/v1/items?window=${span.value}&limit=50&rank=${rank.value}`, {
        signal: asked.signal,
      });
      const answer = (await reply.json()) as Ranking & { error?: string };
      if (!reply.ok) throw new Error(answer.error);
      setRows(answer);
    } catch (error) {
      if (asking !== asked) return;
      say(`Not up to date: ${error instanceof Error ? error.message : error}`, true);
    } finally {
      clearTimeout(patience);
    }
    clearTimeout(timer);
    timer = setTimeout(refresh, EVERY_MS);
  }
}

function setRows({ items, rank, to }: Ranking): void {
  const now = Date.now();
  byId('items').replaceChildren(
    ...items.map(({ item, last, catalogue, ...counts }, i) =>
      row([
        count(i + 1),
        withName(item, catalogue?.name),
        ...COLUMNS.map((column) => count(counts[column])),
        timeOfDay(last, now),
      ]),
    ),
  );
  const none =
    rank === 'people' ? 'Nobody viewed an item in this time.' : 'No item was asked for in this time.';
  say(items.length === 0 ? none : `As of ${timeOfDay(to, now)}`);
}

function withName(item: string, name: string | undefined): string {
  return name === undefined ? item : `${name} (${item})`;
}

function row(texts: string[]): HTMLElement {
  return el('tr', {}, ...texts.map((text, i) => el('td', i === 1 ? {} : { class: 'n' }, text)));
}

function say(text: string, isWrong = false): void {
  const state = byId('state');
  state.textContent = text;
  state.classList.toggle('wrong', isWrong);
}
