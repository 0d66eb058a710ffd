import type { Case } from './bench.ts';

/** Prints cases as an aligned table, numbers to the right. */
export function printTable(cases: Case[]): void {
  const columns = [...new Set(cases.flatMap((one) => Object.keys(one)))];
  const rows = [columns, ...cases.map((one) => columns.map((column) => format(one[column])))];
  const widths = columns.map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  for (const row of rows) {
    const cells = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
    );
    process.stdout.write(`${cells.join('  ').trimEnd()}\n`);
  }
}

function format(value: string | number | undefined): string {
  if (typeof value !== 'number') return value ?? '';
  return Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(value < 10 ? 2 : 1);
}
