import { appendFileSync } from 'node:fs';

/** Notes what a test ran against (`Kafka 4.1.1, local process`) for the closing table of `npm test`. */
export function record(part: string): void {
  const file = process.env.HOTITEM_TEST_PARTS;
  if (file !== undefined) appendFileSync(file, `${part}\n`);
}
