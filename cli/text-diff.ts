import { spawn } from 'node:child_process';
import { Trouble } from '../service/trouble.ts';

/** The output of `diff -u` for a file and its new text; empty if they are equal. `before` undefined: the file is new. */
export function textDiff(path: string, before: string | undefined, after: string): Promise<string> {
  if (before === after) return Promise.resolve('');
  const [old, label] = before === undefined ? ['/dev/null', '/dev/null'] : [path, path];
  const args = ['-u', '--label', label, '--label', `${path} (new)`, '--', old, '-'];
  return new Promise((resolve, reject) => {
    const child = spawn('diff', args, { stdio: ['pipe', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    child.once('error', () => reject(new Trouble('there is no diff on this host', 'Install diffutils.')));
    child.once('close', () => resolve(text));
    child.stdin.on('error', () => {});
    child.stdin.end(after);
  });
}
