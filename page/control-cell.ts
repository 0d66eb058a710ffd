import { cell } from './cells.ts';
import { el } from './dom.ts';

/** The last cell of a row of items. It is only there where control is allowed: see control/control.css. */
export function controlCell(item: string): HTMLElement {
  return cell('col-control', controlButton(item));
}

/** Opens the dialog for an item: see control/control.ts. */
function controlButton(item: string): HTMLElement {
  const attributes = {
    type: 'button',
    'data-control': item,
    'aria-label': `Control… ${item}`,
    class: 'control',
  };
  return el('button', attributes, 'Control…');
}
