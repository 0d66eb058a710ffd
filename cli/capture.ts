import { request } from 'node:http';
import { type CaptureMode, type CaptureState, toCaptureMode } from '../sidecar/control.ts';
import type { Command } from './command.ts';
import { configure } from './configure.ts';
import { OWNER_ONLY } from './owner-only.ts';
import { UsageError } from './parse-command-line.ts';
import { plainText } from './plain-text.ts';
import { print } from './terminal.ts';
import { Trouble } from './trouble.ts';

const TIMEOUT_MS = 5_000;

export const capture: Command = {
  about: 'on | off | sample N | status: what nginx captures, from the next second on and without a reload',
  options: {},
  configured: true,
  async run(context) {
    const mode = toMode(context.positionals);
    const { socket } = configure(context).control;
    const state = await ask(socket, mode);
    print(`capture: ${captureWords(state)}\n`);
    return 0;
  },
};

/** The mode as a person says it. */
export function captureWords(state: CaptureState): string {
  if (state.mode === 'default') return 'as nginx is configured';
  return state.mode === 'sample' ? `1 in ${state.n}` : state.mode;
}

/** Undefined: only asked for. */
function toMode([word = '', number, ...rest]: string[]): CaptureMode | undefined {
  const plain = number === undefined;
  if (word === 'status' && plain) return undefined;
  const mode = toCaptureMode(word === 'sample' ? { mode: word, n: Number(number) } : { mode: word });
  if (mode === undefined || rest.length > 0 || (mode.mode !== 'sample' && !plain))
    throw new UsageError('capture: say on, off, sample N (N from 2 to 10000), or status');
  return mode;
}

function ask(socket: string, mode: CaptureMode | undefined): Promise<CaptureState> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath: socket,
        path: '/v1/control',
        method: mode === undefined ? 'GET' : 'POST',
        timeout: TIMEOUT_MS,
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => {
          const state = response.statusCode === 200 ? toState(text) : undefined;
          if (state !== undefined) resolve(state);
          else reject(new Trouble(`the sidecar does not do it: ${plainText(text.trim(), 200)}`));
        });
      },
    );
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', (error: NodeJS.ErrnoException) => reject(troubleOf(error, socket)));
    asked.end(mode === undefined ? undefined : JSON.stringify(mode));
  });
}

function troubleOf({ code, message }: NodeJS.ErrnoException, socket: string): Trouble {
  if (code === 'EACCES') return new Trouble(`not allowed to ask at ${socket}`, OWNER_ONLY);
  return new Trouble(
    `nobody answers at ${socket} (${message})`,
    'Is the sidecar running? control.socket says where it listens.',
  );
}

/** Undefined where it is not what a sidecar answers. */
function toState(text: string): CaptureState | undefined {
  try {
    return JSON.parse(text) as CaptureState;
  } catch {
    return undefined;
  }
}
