import { readPrivateFile } from '../service/private-file.ts';

const PREFIX = 'whsec_';
const LEAST_BYTES = 32;
/** The largest that the specification allows. */
const MOST_BYTES = 64;
const FOR_OTHERS = 0o007;

/**
 * Reads the keys from a file of secrets, one per line, each as `whsec_` and base64: one key, or two while they are rotated. Throws an
 * `Error` that says what is wrong, and never shows the content. `uid`: the user of the service.
 */
export function readSecrets(path: string, uid: number): Buffer[] {
  const fix = 'must not be readable by others: chmod 640';
  return secretsOf(readPrivateFile(path, { forOthers: FOR_OTHERS, uid, fix }));
}

function secretsOf(text: string): Buffer[] {
  const lines = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
  if (lines.length < 1 || lines.length > 2)
    throw new Error(`must hold one secret, or two while they are rotated (got ${lines.length} lines)`);
  return lines.map(keyOf);
}

function keyOf(line: string): Buffer {
  const key = Buffer.from(line.slice(PREFIX.length), 'base64');
  const isBase64 = key.toString('base64').replace(/=+$/, '') === line.slice(PREFIX.length).replace(/=+$/, '');
  if (!line.startsWith(PREFIX) || !isBase64 || key.length < LEAST_BYTES || key.length > MOST_BYTES)
    throw new Error(
      `must hold ${PREFIX} and ${LEAST_BYTES} to ${MOST_BYTES} random bytes in base64, as in \`echo "${PREFIX}$(openssl rand -base64 32)"\``,
    );
  return key;
}
