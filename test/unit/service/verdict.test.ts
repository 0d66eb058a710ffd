import { describe, expect, test } from '@jest/globals';
import { findingsText } from '../../../cli/check-report.ts';
import { JUDGE_OPTIONS, judgingOf } from '../../../cli/judge-flags.ts';
import { parseCommandLine } from '../../../cli/parse-command-line.ts';
import type { Finding, Severity } from '../../../service/finding.ts';
import { judge } from '../../../service/verdict.ts';

describe('findings', () => {
  test.each<[string, Severity[], boolean, 0 | 1]>([
    ['none', [], true, 0],
    ['a note', ['note'], true, 0],
    ['a warning', ['warning'], false, 0],
    ['a warning, with --strict', ['warning'], true, 1],
    ['an error', ['note', 'error'], false, 1],
  ])('%s: %j, strict %s, exits %i', (_, severities, strict, status) => {
    expect(judge(severities.map(finding), { strict }).status).toBe(status);
  });

  test('that are all accepted exit 0, and are shown', () => {
    const verdict = judge([finding('error', 0), finding('warning', 1)], {
      accept: ['id-a', 'id-b'],
      strict: true,
    });
    expect(verdict).toMatchObject({
      status: 0,
      unused: [],
      findings: [{ accepted: true }, { accepted: true }],
    });
    const text = findingsText(verdict);
    expect(text).toContain('accepted  what a  [id-a]');
    expect(text).toContain('Nothing to change, 2 accepted.');
  });

  test('with an id that is not accepted count, and an accepted id without findings is named', () => {
    const verdict = judge([finding('error', 0)], { accept: ['id-z'] });
    expect(verdict).toMatchObject({ status: 1, unused: ['id-z'] });
    expect(findingsText(verdict)).toContain('Accepted, but not found: id-z');
  });

  test('have the command that fixes them', () => {
    const text = findingsText(judge([{ ...finding('error', 0), command: 'chmod o= /a' }]));
    expect(text).toContain('  fix    fix\n  run    chmod o= /a\n');
  });
});

describe('--accept', () => {
  test.each([
    [
      ['--accept', 'a-b', '--accept', 'c'],
      ['a-b', 'c'],
    ],
    [['--accept=a-b,c'], ['a-b', 'c']],
    [
      ['--accept', 'a-b, c', '--accept', 'c'],
      ['a-b', 'c'],
    ],
    [[], []],
  ])('%j is %j', (args, accept) => {
    expect(judgingOf(flagsOf(args)).accept).toEqual(accept);
  });

  test.each(['', 'a,,b', 'A', 'a_b', '-a'])('rejects %j', (id) => {
    expect(() => judgingOf(flagsOf([`--accept=${id}`]))).toThrow('--accept: must be the id of a finding');
  });

  function flagsOf(args: string[]) {
    const command = { about: '', options: JUDGE_OPTIONS, configured: false, run: async () => 0 };
    return parseCommandLine(['check', ...args], { check: command }).flags;
  }
});

function finding(severity: Severity, i: number): Finding {
  const letter = 'abc'[i] ?? '';
  return { id: `id-${letter}`, severity, what: `what ${letter}`, why: 'why', fix: 'fix' };
}
