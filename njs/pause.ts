/** Resolves after this many ms. A worker does not exit before: nginx waits for timers of scripts. */
export function pause(ms: number): Promise<void> {
  return new Promise<void>((resolve) => void setTimeout(() => resolve(), ms));
}
