/** A number as people read it, `1,234.5`, with `digits` behind the point. In English, as all that commands print. */
export function number(value: number, digits = 0): string {
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
