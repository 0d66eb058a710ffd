import type { NginxReport } from '../nginx-setup/check/check-nginx.ts';
import type { Finding, Severity } from '../service/finding.ts';
import type { Verdict } from '../service/verdict.ts';

const ORDER: Severity[] = ['error', 'warning', 'note'];

/** The report for a terminal: the nginx that was checked, what it captures, and what to change, worst first. */
export function reportText({ nginx, njs, program, conf, captures }: NginxReport, verdict: Verdict): string {
  const engine = njs === undefined ? 'no njs' : `njs ${njs.version}${njs.quickjs ? ' with QuickJS' : ''}`;
  const off = verdict.findings.some(({ id }) => id === 'capture-off');
  return [
    `nginx ${nginx}, ${engine} (${program})`,
    conf,
    '',
    captures.length === 0 ? 'No location captures.' : off ? 'These would capture:' : 'What captures:',
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
    findingsText(verdict),
  ].join('\n');
}

/** What to change, worst first, then accepted findings, and their number. */
export function findingsText({ findings, unused }: Verdict): string {
  const open = findings
    .filter(({ accepted }) => !accepted)
    .toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  const accepted = findings.filter((one) => one.accepted);
  return [
    ...open.flatMap((finding) => [...findingText(finding), '']),
    ...(accepted.length === 0 ? [] : [...accepted.map(acceptedText), '']),
    ...(unused.length === 0 ? [] : [`Accepted, but not found: ${unused.join(', ')}`]),
    summary(open, accepted.length),
    '',
  ].join('\n');
}

function findingText({ id, severity, what, where, why, fix, command }: Finding): string[] {
  return [
    `${severity}  ${what}  [${id}]`,
    ...(where === undefined ? [] : [`  where  ${where.file}:${where.line}`]),
    `  why    ${why}`,
    `  fix    ${fix}`,
    ...(command === undefined ? [] : [`  run    ${command}`]),
  ];
}

function acceptedText({ id, what, where }: Finding): string {
  return `accepted  ${what}  [${id}]${where === undefined ? '' : `  ${where.file}:${where.line}`}`;
}

function summary(open: Finding[], accepted: number): string {
  const [errors = 0, warnings = 0, notes = 0] = ORDER.map(
    (severity) => open.filter((finding) => finding.severity === severity).length,
  );
  const rest = `${notes === 0 ? '' : `, ${count(notes, 'note')}`}${accepted === 0 ? '' : `, ${accepted} accepted`}`;
  if (errors + warnings === 0) return `Nothing to change${rest}.`;
  return `${count(errors, 'error')}, ${count(warnings, 'warning')}${rest}.`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function columns(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd());
}
