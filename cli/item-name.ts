/** An item as a terminal shows it: its id, which commands need, and its name where the catalogue has one. */
export function itemWithName(item: string, name: string | undefined): string {
  return name === undefined ? item : `${item} ${name}`;
}
