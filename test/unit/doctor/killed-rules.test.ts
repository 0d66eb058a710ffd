import { describe, expect, test } from '@jest/globals';
import { failureFindings } from '../../../doctor/killed-rules.ts';

const UNIT = 'hotitem-sink.service';

describe('journal entries about a service that failed', () => {
  test('give one finding per result, with how often and when last', () => {
    const found = failureFindings(
      UNIT,
      [entry('oom-kill', 1), entry('exit-code', 2), entry('oom-kill', 3), ''].join('\n'),
    );
    expect(found.map(({ id, what, severity }) => [id, severity, what])).toEqual([
      [
        'service-out-of-memory',
        'warning',
        `${UNIT} was killed because memory ran out 2 times in the last day, last at 1970-01-01T00:00:03.000Z (oom-kill)`,
      ],
      [
        'service-failed',
        'warning',
        `${UNIT} failed once in the last day, last at 1970-01-01T00:00:02.000Z (exit-code)`,
      ],
    ]);
    expect(found[0]?.command).toBe(`systemctl set-property ${UNIT} MemoryMax=2G`);
  });

  test('give nothing without a journal, or with one that must not be read', () => {
    expect(failureFindings(UNIT, '')).toEqual([]);
    expect(failureFindings(UNIT, 'No journal files were opened due to insufficient permissions.\n')).toEqual(
      [],
    );
  });
});

/** As `journalctl --output json` prints it. */
function entry(result: string, second: number): string {
  return JSON.stringify({
    __REALTIME_TIMESTAMP: String(second * 1_000_000),
    MESSAGE_ID: 'd9b373ed55a64feb8242e02dbe79a49c',
    MESSAGE: `${UNIT}: Failed with result '${result}'.`,
    UNIT,
    UNIT_RESULT: result,
    _PID: '1',
  });
}
