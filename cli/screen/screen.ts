import { type Line, render } from './styled.ts';

export type Screen = {
  columns(): number;
  rows(): number;
  /** Shows these lines; what is below the last row is left out. */
  draw(lines: Line[]): void;
};

export type Output = Pick<NodeJS.WriteStream, 'write' | 'on' | 'off' | 'writableNeedDrain'> &
  Partial<Pick<NodeJS.WriteStream, 'columns' | 'rows' | 'isTTY'>>;

/** The other screen of the terminal, without cursor; lines that are too long are cut, not wrapped. */
const OPEN = '\x1b[?1049h\x1b[?25l\x1b[?7l';
const CLOSE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_Z = '\x1a';

/** Whether the output is a terminal that can be drawn on: no file, no pipe, nor a terminal such as that of an editor. */
export function isScreen(
  { isTTY }: Pick<Output, 'isTTY'>,
  { TERM: term }: Record<string, string | undefined>,
): boolean {
  return isTTY === true && term !== 'dumb';
}

/**
 * Runs `work` with the screen, until it resolves or the operator quits with q or Ctrl-C: then its signal is aborted. The terminal is
 * restored in any case, except after SIGKILL. `onResize`: the terminal has another size.
 */
export async function onScreen(
  work: (screen: Screen, signal: AbortSignal, onResize: (listen: () => void) => void) => Promise<void>,
  env: Record<string, string | undefined>,
  { output = process.stdout, input = process.stdin }: { output?: Output; input?: NodeJS.ReadStream } = {},
): Promise<void> {
  const { NO_COLOR: noColour = '' } = env;
  const quit = new AbortController();
  const stop = () => quit.abort();
  const resized: (() => void)[] = [];
  const onSize = () => {
    for (const listen of resized) listen();
  };
  const onKey = (keys: Buffer) => {
    const text = keys.toString('latin1');
    if ([CTRL_C, CTRL_D, 'q', 'Q'].some((key) => text.includes(key))) stop();
    else if (text.includes(CTRL_Z)) suspend();
  };
  open();
  try {
    await work(screenOf(), quit.signal, (listen) => resized.push(listen));
  } catch (error) {
    if (!quit.signal.aborted) throw error;
  } finally {
    close();
  }

  function screenOf(): Screen {
    return {
      columns,
      rows,
      draw(lines) {
        // The terminal does not keep up: the next one is newer.
        if (output.writableNeedDrain) return;
        const width = columns();
        const shown = lines
          .slice(0, rows())
          .map((line) => `${render(line, { width, styled: noColour === '' })}\x1b[K`);
        output.write(`\x1b[H${shown.join('\r\n')}\x1b[J`);
      },
    };
  }

  /** A terminal that nobody has told its size, such as that of a new container, has 0 columns. */
  function columns(): number {
    return output.columns || 80;
  }

  function rows(): number {
    return output.rows || 24;
  }

  function open(): void {
    for (const signal of SIGNALS) process.on(signal, stop);
    process.on('exit', restore);
    process.on('SIGCONT', resume);
    output.on('resize', onSize);
    // Anything else than a terminal may be meant for another program, as in a loop of a shell.
    if (input.isTTY) input.on('data', onKey);
    enter();
  }

  function enter(): void {
    if (input.isTTY) {
      input.setRawMode(true);
      input.resume();
    }
    output.write(OPEN);
  }

  /** Ctrl-Z: the terminal is the shell's until it continues this. Without a shell that could, the kernel ignores the signal. */
  function suspend(): void {
    restore();
    process.kill(0, 'SIGTSTP');
    setImmediate(resume);
  }

  function resume(): void {
    if (quit.signal.aborted) return;
    enter();
    onSize();
  }

  function close(): void {
    restore();
    for (const signal of SIGNALS) process.off(signal, stop);
    process.off('exit', restore);
    process.off('SIGCONT', resume);
    output.off('resize', onSize);
    input.off('data', onKey);
    if (input.isTTY) input.pause();
  }

  function restore(): void {
    if (input.isTTY) input.setRawMode(false);
    output.write(CLOSE);
  }
}
