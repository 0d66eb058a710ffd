import type { Outcome } from './run-scenario.ts';

export type Row = Outcome & { scenario: string; transport: string };

const COLUMNS: [title: string, cell: (row: Row) => string | number][] = [
  ['scenario', ({ scenario }) => scenario],
  ['transport', ({ transport }) => transport],
  ['answered', ({ equation }) => equation.answered],
  ['no answer', ({ equation }) => equation.unanswered],
  ['captured', ({ equation }) => equation.captured],
  ['= events', ({ equation }) => equation.events],
  ['+ dropped', ({ equation }) => equation.dropped],
  ['+ bad', ({ equation }) => equation.bad],
  ['+ unaccounted', ({ equation }) => equation.unaccounted],
  ['nginx says', ({ equation }) => equation.admitted],
  ['lost', ({ equation }) => equation.lost],
  ['accepted', ({ equation }) => equation.accepted],
  ['again', ({ equation }) => equation.again],
  ['records', ({ equation }) => equation.records],
  ['documents', ({ equation }) => equation.documents],
  ['dead', ({ equation }) => equation.dead],
  ['removed', ({ equation }) => equation.removed],
  ['delivered after s', ({ handedOnAfter }) => Math.round(handedOnAfter)],
  ['indexed after s', ({ indexedAfter }) => Math.round(indexedAfter)],
  ['', ({ problems }) => (problems.length === 0 ? 'balances' : 'DOES NOT BALANCE')],
];

/** The accounting of all runs as an aligned table, and the problems below it. */
export function toTable(rows: Row[]): string {
  const cells = [COLUMNS.map(([title]) => title), ...rows.map((row) => COLUMNS.map(([, cell]) => cell(row)))];
  const widths = COLUMNS.map((_, i) => Math.max(...cells.map((line) => String(line[i]).length)));
  const lines = cells.map((line) =>
    line
      .map((cell, i) => align(cell, i))
      .join('  ')
      .trimEnd(),
  );
  const wrong = rows.flatMap(({ scenario, transport, problems }) =>
    problems.map((problem) => `${scenario}, ${transport}: ${problem}`),
  );
  return ['', ...lines, ...wrong, ''].join('\n');

  function align(cell: string | number, i: number): string {
    return i < 2 || i === widths.length - 1
      ? String(cell).padEnd(widths[i] ?? 0)
      : String(cell).padStart(widths[i] ?? 0);
  }
}
