import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { replaceFile } from '../../service/replace-file.ts';
import { SpoolError } from './error.ts';
import { FORMAT } from './format.ts';

const CONTENT = /^hotitem-spool (\d{1,9}) ([\da-f]{32})\n$/;

/** The id of a spool, created with its folder: sequences of different spools are unrelated. */
export async function readOrMakeId(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return makeId(path);
  const [, format, id] = CONTENT.exec(text) ?? [];
  if (id === undefined)
    throw new SpoolError('SPOOL_OPEN', `${path} is damaged; remove it, and a new one is created`);
  if (Number(format) > FORMAT) {
    throw new SpoolError('SPOOL_VERSION', `the spool has format ${format}, this version reads ${FORMAT}`);
  }
  return id;
}

async function makeId(path: string): Promise<string> {
  const id = randomBytes(16).toString('hex');
  await replaceFile(path, `hotitem-spool ${FORMAT} ${id}\n`, { durable: true });
  return id;
}
