import { el } from './dom.ts';

/** The last cell of a row of items. It is only there where control is allowed: see control/control.css. */
export function controlCell(item: string): HTMLElement {
  return el('td', { role: 'cell', class: 'col-control' }, controlButton(item));
}

/** Opens the dialog for an item; `openControl` hears it. */
export function controlButton(item: string): HTMLElement {
  const attributes = {
    type: 'button',
    'data-control': item,
    'aria-label': `Control… ${item}`,
    class: 'control',
  };
  return el('button', attributes, 'Control…');
}
