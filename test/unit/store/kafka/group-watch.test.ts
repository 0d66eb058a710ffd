import { describe, expect, test } from '@jest/globals';
import { watchGroup } from '../../../../store/kafka/group-watch.ts';

describe('the members of a group', () => {
  test.each([
    ['only sinks of this topic', ['events', 'events'], undefined],
    ['nobody that could be seen', [], undefined],
    ['others', ['events', 'staging', 'staging'], /group sinks also reads staging: .*kafka\.group/],
  ])('%s', async (_, topics, expected) => {
    const { watch, failures } = start();
    watch.look(async () => topics);
    await settled();
    if (expected === undefined) expect(watch.failure()).toBeUndefined();
    else expect(watch.failure()).toMatch(expected);
    expect(failures).toHaveLength(expected === undefined ? 0 : 1);
  });

  test('are those of the last request, also if an earlier one answers later', async () => {
    const { watch } = start();
    let answer: (topics: string[]) => void = () => {};
    watch.look(() => new Promise((resolve) => (answer = resolve)));
    watch.look(async () => ['events']);
    await settled();
    answer(['staging']);
    await settled();
    expect(watch.failure()).toBeUndefined();
  });

  test('that cannot be described are reported as such, and nothing changes', async () => {
    const { watch, failures } = start();
    watch.look(async () => ['staging']);
    await settled();
    watch.look(() => Promise.reject(new Error('refused')));
    await settled();
    expect(watch.failure()).toContain('staging');
    expect(failures.at(-1)).toBe('cannot list the members of group sinks: refused');
  });
});

function start() {
  const failures: string[] = [];
  const onFailure = (error: unknown) => void failures.push(error instanceof Error ? error.message : '');
  return { watch: watchGroup({ group: 'sinks', topic: 'events', onFailure }), failures };
}

/** All that can happen now has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
