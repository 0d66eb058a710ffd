import { el, focusHeading, setChildren, setText } from '../dom.ts';
import { ACTIONS, type ActionName, ITEM_ACTIONS } from './actions.ts';
import type { Wish } from './send.ts';
import { readSession, type Session, writeSession } from './session.ts';

export type ControlDialog = {
  /** Asks what to do with an item, `''` for one that is asked for too, or `undefined` for everything at once. */
  open(item: string | undefined, all: 'freeze' | 'thaw'): void;
};

export type DialogOptions = {
  /** Views a second of an item now, in words. */
  rateOf: (item: string) => string | undefined;
  /** Called when somebody has said yes. Resolves with what is wrong with the token, or undefined. */
  onYes: (wish: Wish, session: Session) => Promise<string | undefined>;
};

/*
 * The dialog before a change. It asks who you are, what to do and why, and then for confirmation, with what the change costs. *No* has the
 * focus.
 */

const TITLE = 'control-title';

export function createControlDialog({ rateOf, onYes }: DialogOptions): ControlDialog {
  const dialog = el('dialog', { class: 'control', 'aria-labelledby': TITLE });
  document.body.append(dialog);
  // The focus goes back to what opened it, which may be gone by then.
  dialog.addEventListener('close', () => {
    const { activeElement, body } = document;
    if (activeElement === body || dialog.contains(activeElement)) focusHeading();
  });
  let asked: { item: string | undefined; all: 'freeze' | 'thaw' } = { item: undefined, all: 'freeze' };
  return {
    open(item, all) {
      asked = { item, all };
      if (readSession() === undefined) askWho();
      else askWhat();
      if (!dialog.open) dialog.showModal();
    },
  };

  function askWho(problem = ''): void {
    const token = field('Token', {
      type: 'password',
      id: 'control-token',
      autocomplete: 'off',
      spellcheck: 'false',
    });
    const name = field('Your name, for the audit log', { type: 'text', id: 'control-name', maxlength: 100 });
    const error = problemLine(problem);
    show(
      'Control needs the token',
      [
        el(
          'p',
          {},
          'It is in the file that admin.control_token_file names. This tab keeps it until it is closed.',
        ),
        token.element,
        name.element,
        error,
      ],
      'Go on…',
      () => {
        if (token.value() === '' || name.value() === '')
          return setText(error, 'Both are needed: the audit log says who it was.');
        writeSession({ token: token.value(), name: name.value() });
        askWhat();
      },
    );
    token.input.focus();
  }

  function askWhat(): void {
    const { item, all } = asked;
    const which = field('Item', { type: 'text', id: 'control-item', maxlength: 256, autocomplete: 'off' });
    const reason = field('Why, for the audit log', {
      type: 'text',
      id: 'control-reason',
      maxlength: 500,
      autocomplete: 'off',
    });
    const error = problemLine('');
    const choices = ITEM_ACTIONS.map(choiceOf);
    const isForItem = item !== undefined;
    show(
      isForItem ? (item === '' ? 'Control an item' : `Control ${item}`) : ACTIONS[all].name,
      [
        ...(item === '' ? [which.element] : []),
        isForItem
          ? el('fieldset', {}, el('legend', {}, 'What to do'), ...choices.map(({ element }) => element))
          : el('p', {}, ACTIONS[all].about),
        reason.element,
        error,
      ],
      'Go on…',
      () => {
        const action = isForItem ? choices.find(({ input }) => input.checked)?.action : all;
        const named = item === '' ? which.value() : item;
        if (action === undefined) return setText(error, 'Choose what to do.');
        if (isForItem && named === '') return setText(error, 'Say which item.');
        if (reason.value() === '') return setText(error, 'Say why: it is kept with your name.');
        askWhetherRight({ action, item: named, reason: reason.value() });
      },
    );
    const [first] = choices;
    (item === '' ? which.input : isForItem ? first?.input : reason.input)?.focus();
  }

  function askWhetherRight(wish: Wish): void {
    const { costs, yes } = ACTIONS[wish.action];
    const item = wish.item ?? '';
    const no = el('button', { type: 'button' }, 'No, go back');
    no.addEventListener('click', askWhat);
    const go = show(
      'Is this right?',
      [
        el('p', { class: 'sure' }, costs(item, rateOf(item))),
        el('p', { class: 'why' }, `Because: “${wish.reason}”. Signed: ${readSession()?.name ?? ''}.`),
      ],
      yes,
      () => void doIt(wish, go),
      no,
    );
    no.focus();
  }

  async function doIt(wish: Wish, yes: HTMLButtonElement): Promise<void> {
    const session = readSession();
    if (session === undefined) return askWho();
    yes.disabled = true;
    const mine = dialog.firstElementChild;
    const problem = await onYes(wish, session);
    if (problem !== undefined) writeSession(undefined);
    // It may have been closed meanwhile, and opened for another item.
    if (!dialog.open || dialog.firstElementChild !== mine) return;
    if (problem === undefined) dialog.close();
    else askWho(problem);
  }

  /** Replaces what is asked. Returns the button that goes on. */
  function show(
    title: string,
    children: Element[],
    go: string,
    onGo: () => void,
    back: HTMLElement = cancelButton(),
  ): HTMLButtonElement {
    const button = el('button', { type: 'submit', class: 'yes' }, go);
    const form = el(
      'form',
      { method: 'dialog', novalidate: '' },
      el('h2', { id: TITLE }, title),
      ...children,
      el('div', { class: 'go' }, back, button),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      onGo();
    });
    setChildren(dialog, [form]);
    return button;
  }

  function cancelButton(): HTMLElement {
    const cancel = el('button', { type: 'button' }, 'Cancel');
    cancel.addEventListener('click', () => dialog.close());
    return cancel;
  }
}

function choiceOf(action: ActionName): { action: ActionName; element: Element; input: HTMLInputElement } {
  const { name, about } = ACTIONS[action];
  const input = el('input', { type: 'radio', name: 'action', value: action });
  return {
    action,
    input,
    element: el('label', { class: 'option' }, input, el('b', {}, name), el('span', {}, about)),
  };
}

function field(label: string, attributes: Record<string, string | number>) {
  const input = el('input', attributes);
  const element = el('div', { class: 'field' }, el('label', { for: attributes.id }, label), input);
  return { element, input, value: () => input.value.trim() };
}

function problemLine(text: string): HTMLElement {
  return el('p', { class: 'problem', role: 'alert' }, text);
}
