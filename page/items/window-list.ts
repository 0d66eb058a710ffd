import { el, setAttribute } from '../dom.ts';
import { createRows, type Row } from '../rows.ts';

/*
 * A table of many rows, of which those are there that are in sight, and a few above and below. All rows are equally high (page.css), so
 * the place of each is known. A screen reader is told how many there are.
 */

/** `place`: its number in the list, from 0 on. */
export type Placed<One> = { one: One; place: number };

export type WindowList<One> = {
  set(all: readonly One[]): void;
  /** Updates the rows that are there. */
  refresh(): void;
  /** Scrolls to the first row. */
  toTop(): void;
  /** Whether a reader points at it, or has the focus in it: not on the headings, which order it. */
  isPointedAt(): boolean;
};

export type WindowListOptions<One> = {
  scroller: HTMLElement;
  table: HTMLElement;
  body: HTMLElement;
  keyOf: (one: One) => string;
  makeRow: () => Row<Placed<One>>;
};

/** Rows that exist above and below those in sight: as many as a fast turn of the wheel shows before the next frame. */
const BEYOND = 12;
/** Until the first row is there to be measured. */
const GUESSED_HEIGHT = 40;

export function createWindowList<One>(options: WindowListOptions<One>): WindowList<One> {
  const { scroller, table, body, keyOf, makeRow } = options;
  const [above, below] = [createSpace(), createSpace()];
  body.before(above.element);
  body.after(below.element);
  let all: readonly One[] = [];
  let height = GUESSED_HEIGHT;
  let isDue = false;
  const rows = createRows<Placed<One>>(
    body,
    ({ one }) => keyOf(one),
    () => {
      const { element, update } = makeRow();
      return {
        element,
        update(placed) {
          setAttribute(element, 'aria-rowindex', String(placed.place + 2));
          update(placed);
        },
      };
    },
    // Its row is out of sight: keys go on moving the list.
    () => scroller.focus({ preventScroll: true }),
  );
  scroller.addEventListener('scroll', soon, { passive: true });
  addEventListener('resize', () => {
    measure();
    // As high as before, but more of them may be in sight.
    render();
  });
  return {
    set(next) {
      all = next;
      setAttribute(table, 'aria-rowcount', String(next.length + 1));
      render();
      measure();
    },
    refresh: render,
    toTop() {
      scroller.scrollTop = 0;
    },
    isPointedAt: () => scroller.matches(':hover, :focus') || body.contains(document.activeElement),
  };

  function soon(): void {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      render();
    });
  }

  /** A row is not as high on a phone, or with larger letters. */
  function measure(): void {
    const found = body.firstElementChild?.getBoundingClientRect().height ?? 0;
    if (found === 0 || Math.abs(found - height) < 0.5) return;
    height = found;
    render();
  }

  function render(): void {
    const inSight = Math.ceil(scroller.clientHeight / height);
    const top = Math.floor(scroller.scrollTop / height);
    const many = inSight + 2 * BEYOND;
    const first = Math.max(0, Math.min(top - BEYOND, all.length - many));
    const shown = all.slice(first, first + many);
    rows.set(shown.map((one, i) => ({ one, place: first + i })));
    above.set(first * height);
    below.set((all.length - first - shown.length) * height);
  }
}

/** The room of rows that are not there. */
function createSpace(): { element: HTMLElement; set(height: number): void } {
  const room = el('td');
  const element = el('tbody', { 'aria-hidden': 'true', class: 'room' }, el('tr', {}, room));
  return {
    element,
    set(height) {
      element.hidden = height <= 0;
      room.style.height = `${height}px`;
    },
  };
}
