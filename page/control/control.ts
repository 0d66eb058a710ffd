import { byId, el, setText } from '../dom.ts';
import type { LiveView } from '../live-stream.ts';
import { perSecond, timeOfDay } from '../words.ts';
import { ACTIONS } from './actions.ts';
import { createControlDialog } from './dialog.ts';
import { send, type Wish } from './send.ts';
import { readSession, type Session, writeSession } from './session.ts';

/*
 * Control is a place apart: a band above what is shown, and a column, only where the sidecar allows it to this page. Through the shop's nginx it does not.
 */

export type Control = {
  update(view: LiveView): void;
};

export function createControl(): Control {
  let view: LiveView | undefined;
  const said = el('p', { role: 'status' });
  const everything = button(ACTIONS.freeze.name);
  const forget = button('Forget the token');
  const band = el(
    'section',
    { class: 'control-band', 'aria-label': 'Control' },
    el('p', {}, el('b', {}, 'Control is allowed here.'), ' What you do changes what shoppers get.'),
    said,
    el('button', { type: 'button', 'data-control': '' }, 'An item…'),
    everything,
    forget,
  );
  const dialog = createControlDialog({ rateOf, onYes });
  void allow();
  return {
    update(next) {
      view = next;
      setText(everything, `${ACTIONS[whole()].name}…`);
    },
  };

  async function allow(): Promise<void> {
    if (!(await isAllowed())) return;
    byId('main').before(band);
    document.body.classList.add('with-control');
    forget.hidden = readSession() === undefined;
    document.addEventListener('click', ({ target }) => {
      const asked = target instanceof Element ? target.closest('[data-control]') : null;
      if (asked !== null) dialog.open(asked.getAttribute('data-control') ?? '', whole());
    });
    everything.addEventListener('click', () => dialog.open(undefined, whole()));
    forget.addEventListener('click', () => {
      writeSession(undefined);
      forget.hidden = true;
      setText(said, 'The token is forgotten.');
    });
  }

  function whole(): 'freeze' | 'thaw' {
    return view?.state?.head.frozen === undefined ? 'freeze' : 'thaw';
  }

  function rateOf(item: string): string | undefined {
    const found = view?.state?.items.find((one) => one.item === item);
    return found && `${perSecond(found.ten.all, 10)}/s`;
  }

  async function onYes(wish: Wish, session: Session): Promise<string | undefined> {
    const now = sidecarNow();
    const { isRefused, text } = await send(wish, session, now);
    forget.hidden = isRefused;
    if (isRefused) return text;
    setText(said, `${timeOfDay(now, now)} ${text}`);
    return undefined;
  }

  /** The clock of the browser may be another. */
  function sidecarNow(): number {
    return view?.state === undefined
      ? Date.now()
      : view.state.head.now + Math.max(0, performance.now() - view.toldAt);
  }
}

function button(text: string): HTMLButtonElement {
  return el('button', { type: 'button' }, text);
}

async function isAllowed(): Promise<boolean> {
  try {
    const answer = await fetch('/api/v1/control');
    const value: unknown = answer.ok ? await answer.json() : undefined;
    return typeof value === 'object' && value !== null && 'control' in value && value.control === true;
  } catch {
    return false;
  }
}
