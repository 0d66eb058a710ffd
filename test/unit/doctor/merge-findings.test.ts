import { expect, test } from '@jest/globals';
import { mergeFindings } from '../../../doctor/merge-findings.ts';
import type { Finding, Severity } from '../../../service/finding.ts';

test('findings of one cause from files and processes become one, with the higher severity and the better command', () => {
  const file = { ...finding('capture-off', 'note'), command: 'sed', where: { file: '/n.conf', line: 3 } };
  const running = { ...finding('capture-off', 'error'), command: 'hotitem check --nginx' };

  expect(mergeFindings([file], [running])).toEqual([{ ...file, severity: 'error' }]);
});

test('duplicates are reported once, and nothing else is dropped', () => {
  const [taken, other] = [finding('port-taken', 'error'), finding('clock', 'warning')];

  expect(mergeFindings([], [taken, other, { ...taken }])).toEqual([taken, other]);
  expect(mergeFindings([other, { ...other, what: 'another file' }], [])).toHaveLength(2);
});

function finding(id: string, severity: Severity): Finding {
  return { id, severity, what: id, why: '', fix: '' };
}
