import type { Counted, Metric, Rows } from './panel.ts';

/** A column of a layer of Lens. */
export type Column = { label: string; customLabel: true; operationType: string } & Record<string, unknown>;

const OPERATIONS: Record<Counted['of'], string> = {
  sum: 'sum',
  distinct: 'unique_count',
  average: 'average',
  most: 'max',
  count: 'count',
};
const WHOLE = { id: 'number', params: { decimals: 0 } };
const TO_HUNDREDTHS = { id: 'number', params: { decimals: 2 } };

/** A metric by its id; a difference with the columns that it is made of, under the names that Lens gives them. */
export function metricColumns(metric: Metric): Record<string, Column> {
  if (metric.of === 'difference') return differenceColumns(metric);
  if (metric.of !== 'latest') return { [metric.id]: counted(metric) };
  const { id, label, field } = metric;
  const common = { label, customLabel: true, isBucketed: false, scale: 'ratio' } as const;
  return {
    [id]: {
      ...common,
      dataType: 'date',
      operationType: 'max',
      sourceField: field,
      params: { emptyAsNull: true },
    },
  };
}

export function rowColumn(rows: Rows, first: Metric): Column {
  const common = { label: rows.label, customLabel: true, sourceField: rows.field, isBucketed: true } as const;
  if (rows.by === 'time') {
    const params = { interval: 'auto', includeEmptyRows: true, dropPartials: false };
    return { ...common, dataType: 'date', operationType: 'date_histogram', scale: 'interval', params };
  }
  const params = {
    size: rows.limit,
    orderBy: { type: 'column', columnId: first.id },
    orderDirection: 'desc',
    otherBucket: false,
    missingBucket: false,
    parentFormat: { id: 'terms' },
    include: [],
    exclude: [],
    includeIsRegex: false,
    excludeIsRegex: false,
  };
  return { ...common, dataType: 'string', operationType: 'terms', scale: 'ordinal', params };
}

function counted({ of, field, label, only, shift }: Counted): Column {
  const format = of === 'average' || of === 'most' ? TO_HUNDREDTHS : WHOLE;
  return {
    label,
    customLabel: true,
    dataType: 'number',
    operationType: OPERATIONS[of],
    sourceField: field,
    isBucketed: false,
    scale: 'ratio',
    ...(only !== undefined && { filter: { query: only, language: 'kuery' } }),
    ...(shift !== undefined && { timeShift: shift }),
    params: { emptyAsNull: false, format },
  };
}

/** A formula is stored with its parts: X0 and X1 ask, X2 computes. */
function differenceColumns({ id, label, from, take }: Metric & { of: 'difference' }): Record<string, Column> {
  const formula = `${inFormula(from)} - ${inFormula(take)}`;
  const [x0, x1, x2] = [`${id}X0`, `${id}X1`, `${id}X2`];
  const part = `Part of ${label}`;
  const number = { customLabel: true, dataType: 'number', isBucketed: false, scale: 'ratio' } as const;
  const tinymathAst = {
    type: 'function',
    name: 'subtract',
    args: [x0, x1],
    location: { min: 0, max: formula.length },
    text: formula,
  };
  return {
    [x0]: { ...counted(from), label: part },
    [x1]: { ...counted(take), label: part },
    [x2]: { ...number, label: part, operationType: 'math', params: { tinymathAst }, references: [x0, x1] },
    [id]: {
      ...number,
      label,
      operationType: 'formula',
      params: { formula, isFormulaBroken: false, format: WHOLE },
      references: [x2],
    },
  };
}

function inFormula({ of, field, only, shift }: Counted): string {
  const args = [
    field,
    ...(only === undefined ? [] : [`kql='${only}'`]),
    ...(shift === undefined ? [] : [`shift='${shift}'`]),
  ];
  return `${OPERATIONS[of]}(${args.join(', ')})`;
}
