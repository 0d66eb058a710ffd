// Asks for the ranking every two seconds. Whatever an item is called is text here, never markup.
const EVERY_MS = 2000;
const PATIENCE_MS = 15_000;
const rows = document.querySelector('#items');
const state = document.querySelector('#state');
const span = document.querySelector('#window');
const rank = document.querySelector('#rank');
const time = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const number = new Intl.NumberFormat();
let timer;
let asking;

span.addEventListener('change', refresh);
rank.addEventListener('change', refresh);
document.addEventListener('visibilitychange', refresh);
refresh();

async function refresh() {
  clearTimeout(timer);
  // What was asked before the last change of mind is of no interest any more, and must not be shown over the newer answer.
  asking?.abort();
  if (document.hidden) return;
  const asked = new AbortController();
  asking = asked;
  const patience = setTimeout(() => asked.abort(new Error('no answer in time')), PATIENCE_MS);
  try {
    const reply = await fetch(`/api/v1/items?window=${span.value}&limit=50&rank=${rank.value}`, {
      signal: asked.signal,
    });
    const answer = await reply.json();
    if (!reply.ok) throw new Error(answer.error);
    show(answer.items);
    const none =
      answer.rank === 'people'
        ? 'Nobody viewed an item in this time.'
        : 'No item was asked for in this time.';
    say(answer.items.length === 0 ? none : `As of ${time.format(answer.to)}`);
  } catch (error) {
    if (asking !== asked) return;
    say(`Not up to date: ${error.message}`, true);
  } finally {
    clearTimeout(patience);
  }
  clearTimeout(timer);
  timer = setTimeout(refresh, EVERY_MS);
}

function show(items) {
  rows.replaceChildren(
    ...items.map(({ item, views, visitors, bots, prefetches, others, all, last }, i) => {
      const numbers = [views, visitors, bots, prefetches, others, all].map((count) => number.format(count));
      return row([number.format(i + 1), item, ...numbers, time.format(last)]);
    }),
  );
}

function row(texts) {
  const tr = document.createElement('tr');
  for (const text of texts) {
    const td = document.createElement('td');
    td.textContent = text;
    tr.append(td);
  }
  return tr;
}

function say(text, wrong = false) {
  state.textContent = text;
  state.classList.toggle('wrong', wrong);
}
