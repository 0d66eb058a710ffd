import type { NginxReport } from '../check-nginx.ts';
import type { Finding, Severity } from './finding.ts';

const ORDER: Severity[] = ['error', 'warning', 'note'];

/** The report for a terminal: what this nginx is, what captures, and what to change, the worst first. */
export function reportText({ nginx, njs, program, conf, captures, findings }: NginxReport): string {
  const engine = njs === undefined ? 'no njs' : `njs ${njs.version}${njs.quickjs ? ' with QuickJS' : ''}`;
  const off = findings.some(({ id }) => id === 'capture-off');
  return [
    `nginx ${nginx}, ${engine} (${program})`,
    conf,
    '',
    captures.length === 0 ? 'No location captures.' : off ? 'What would capture:' : 'What captures:',
    ...columns(
      captures.map(({ server, location, transport, how, where }) => [
        server,
        location,
        transport,
        how,
        `${where.file}:${where.line}`,
      ]),
    ),
    '',
    findingsText(findings),
  ].join('\n');
}

/** What to change, the worst first, and how much that is. */
export function findingsText(findings: Finding[]): string {
  const sorted = findings.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  return [...sorted.flatMap((finding) => [...findingText(finding), '']), summary(findings), ''].join('\n');
}

function findingText({ id, severity, what, where, why, fix }: Finding): string[] {
  return [
    `${severity}  ${what}  [${id}]`,
    ...(where === undefined ? [] : [`  where  ${where.file}:${where.line}`]),
    `  why    ${why}`,
    `  fix    ${fix}`,
  ];
}

function summary(findings: Finding[]): string {
  const [errors = 0, warnings = 0, notes = 0] = ORDER.map(
    (severity) => findings.filter((finding) => finding.severity === severity).length,
  );
  const noted = notes === 0 ? '' : `, ${count(notes, 'note')}`;
  if (errors + warnings === 0) return `Nothing to change${noted}.`;
  return `${count(errors, 'error')}, ${count(warnings, 'warning')}${noted}.`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function columns(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
}
