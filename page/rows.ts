import { focusHeading, setChildren } from './dom.ts';
import { inOrderOf } from './in-order-of.ts';

/** A row whose cells change; it is made once. */
export type Row<One> = { element: HTMLElement; update(one: One): void };

export type Rows<One> = {
  /** Shows these, in this order. A row that is there already is changed and moved, and keeps its focus. */
  set(some: readonly One[]): void;
};

/** `onFocusLost`: the row that had the focus is gone. */
export function createRows<One>(
  body: Element,
  keyOf: (one: One) => string,
  make: (one: One) => Row<One>,
  onFocusLost: () => void = focusHeading,
): Rows<One> {
  let rows = new Map<string, Row<One>>();
  return {
    set(some) {
      const before = rows;
      const hadFocus = body.contains(document.activeElement);
      rows = new Map();
      for (const one of some) {
        const key = keyOf(one);
        const row = before.get(key) ?? make(one);
        row.update(one);
        rows.set(key, row);
      }
      setChildren(
        body,
        [...rows.values()].map(({ element }) => element),
      );
      if (hadFocus && !body.contains(document.activeElement)) onFocusLost();
    },
  };
}

/** Rows that stay where they are while a reader points at one, or has the focus in it. */
export function createCalmRows<One>(
  body: Element,
  keyOf: (one: One) => string,
  make: (one: One) => Row<One>,
): Rows<One> {
  const rows = createRows(body, keyOf, make);
  let shown: readonly One[] = [];
  return {
    set(some) {
      shown = body.matches(':hover, :focus-within') ? inOrderOf(shown, some, keyOf) : some;
      rows.set(shown);
    },
  };
}
