import { describe, expect, test } from '@jest/globals';
import { createResets } from '../../../../store/kafka/offset-reset.ts';

describe('records that Kafka removed', () => {
  test('are counted once each, however often the same reset is seen', () => {
    const passedOver = createResets();
    expect(passedOver({ partition: 0, from: 100n, to: 500n })).toBe(400n);
    expect(passedOver({ partition: 0, from: 201n, to: 500n })).toBe(0n);
    expect(passedOver({ partition: 0, from: 201n, to: 650n })).toBe(150n);
    expect(passedOver({ partition: 1, from: 0n, to: 7n })).toBe(7n);
  });

  test('are none if the topic was created again, and are counted from its beginning afterwards', () => {
    const passedOver = createResets();
    expect(passedOver({ partition: 0, from: 100n, to: 500n })).toBe(400n);
    expect(passedOver({ partition: 0, from: 600n, to: 0n })).toBe(0n);
    expect(passedOver({ partition: 0, from: 10n, to: 30n })).toBe(20n);
  });
});
