import { PROGRAM } from '../integration/run-hotitem.ts';
import { openPty } from '../parts/pty.ts';

type TerminalOptions = { admin: string; home: string; rows: number; columns: number };

const ESC = '\u001b';
/** What `top` draws: from the upper left corner on, then it erases what is below. */
const SCREEN = new RegExp(`${ESC}\\[H([^]*?)${ESC}\\[J`, 'g');
const STYLE = new RegExp(`${ESC}\\[(\\d+)m`, 'g');
const ERASE = new RegExp(`${ESC}\\[K|\\r`, 'g');
const CLASSES: Record<string, string> = { 1: 'bold', 2: 'dim', 7: 'inverse', 33: 'hot' };

const CSS = `
  body { margin: 0; background: #17181a; }
  pre { display: inline-block; margin: 0; padding: 16px 20px; background: #17181a; color: #d6d3cc; font: 14px/1.4 "DejaVu Sans Mono", monospace; }
  .bold { font-weight: bold; color: #fff; }
  .dim { color: #9a968e; }
  .hot { color: #f0a35c; }
  .inverse { background: #d6d3cc; color: #17181a; }`;

/** The screen of `hotitem top` in a terminal of its own, as HTML. */
export async function terminalPage({ admin, home, rows, columns }: TerminalOptions): Promise<string> {
  const command = [process.execPath, PROGRAM, 'top', '--admin-listen', admin];
  const pty = openPty({ folder: home, command, env: { HOTITEM_HOME: home }, rows, columns });
  await pty.shows(/views\/s over 10 s/);
  pty.type('q');
  await pty.ended;
  const [, screen = ''] = [...pty.output().matchAll(SCREEN)].at(-1) ?? [];
  return `<!doctype html><meta charset="utf-8"><style>${CSS}</style><pre>${toHtml(screen)}</pre>`;
}

function toHtml(screen: string): string {
  const text = screen.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll(ERASE, '').trimEnd();
  return text.replaceAll(STYLE, (_, code: string) =>
    code === '0' ? '</span>' : `<span class="${CLASSES[code] ?? ''}">`,
  );
}
