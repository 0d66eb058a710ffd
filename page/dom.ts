/*
 * Elements. Whatever comes from outside is text here, never markup: there is no other way to put it in.
 */

export type Child = Node | string | undefined;
type Attributes = Record<string, string | number | undefined>;

export function el<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return filled(document.createElement(name), attributes, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

/** The element of index.html with that id. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no #${id}`);
  return found;
}

/** Changes the text where it differs: a screen reader and a selection keep what stays as it is. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** The sentence below a title. It is read out where it says that something is wrong; otherwise it changes with each answer. */
export function setLead(lead: Element, text: string, isWrong: boolean): void {
  lead.classList.toggle('wrong', isWrong);
  setAttribute(lead, 'aria-live', isWrong ? 'polite' : 'off');
  setText(lead, text);
}

export function setAttribute(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Makes these the children, touching nothing that is where it should be. The focus stays with what has it, also where that is moved. */
export function setChildren(parent: Element, children: readonly Element[]): void {
  const focused = document.activeElement;
  const kept = new Set(children);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  for (const [i, child] of children.entries())
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  if (focused instanceof HTMLElement && focused !== document.activeElement && parent.contains(focused))
    focused.focus({ preventScroll: true });
}

/** For a focus whose element is gone: the heading of the view that is shown. */
export function focusHeading(): void {
  document.querySelector<HTMLElement>('main > section:not([hidden]) h1')?.focus({ preventScroll: true });
}

function filled<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined) element.setAttribute(name, String(value));
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** Each text on a line of its own. */
export function setLines(parent: Element, lines: string[]): void {
  const children = lines.map((line, i) => {
    const known = parent.children[i] ?? el('span', { class: 'line' });
    setText(known, line);
    return known;
  });
  setChildren(parent, children);
}
