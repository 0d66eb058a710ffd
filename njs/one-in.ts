/**
 * How many views a captured one represents, from the setting `on`, `off` or `sample N`: 1, 0 or N. Anything else counts as `on`, so that a
 * typing error loses nothing.
 */
export function oneIn(mode: string | undefined): number {
  if (mode === 'off') return 0;
  const found = /^sample (\d{1,5})$/.exec(mode || '');
  const n = found ? Number(found[1]) : 1;
  return n >= 2 && n <= 10000 ? n : 1;
}
