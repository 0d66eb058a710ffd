/** What is there already stays in its order; what is new comes last. */
export function inOrderOf<One>(
  before: readonly One[],
  now: readonly One[],
  keyOf: (one: One) => string,
): One[] {
  const left = new Map(now.map((one) => [keyOf(one), one]));
  const known = before.flatMap((one) => {
    const key = keyOf(one);
    const next = left.get(key);
    left.delete(key);
    return next ?? [];
  });
  return [...known, ...left.values()];
}
