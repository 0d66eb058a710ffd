/** Says to people what a test run is obtaining; past jest's console, whose stack traces would drown it. */
export function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
