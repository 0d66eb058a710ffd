/** Tells people what a test run is obtaining. Bypasses jest's console, whose stack traces would hide it. */
export function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
