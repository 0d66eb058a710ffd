import { createRequire } from 'node:module';

const patched = new WeakSet<object>();

/**
 * Changes what is inside kafkajs, for which it has no option: the prototype of the class in `file`, below its src. Once,
 * however often it is called, and not at all in a version where that class has no such `method`.
 */
export function patchKafkajs<Shape extends object>(
  file: string,
  method: keyof Shape & string,
  patch: (prototype: Shape) => void,
): void {
  const inner: unknown = createRequire(import.meta.url)(`kafkajs/src/${file}`);
  if (typeof inner !== 'function') return;
  const prototype: unknown = inner.prototype;
  if (!hasMethod(prototype) || patched.has(prototype)) return;
  patch(prototype);
  patched.add(prototype);

  function hasMethod(value: unknown): value is Shape {
    return (
      typeof value === 'object' &&
      value !== null &&
      method in value &&
      typeof Reflect.get(value, method) === 'function'
    );
  }
}
