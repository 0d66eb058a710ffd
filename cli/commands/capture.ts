import { setTimeout as sleep } from 'node:timers/promises';
import { type CaptureMode, type CaptureState, toCaptureMode } from '../../sidecar/nginx/switch.ts';
import { askService } from '../../status/ask-service.ts';
import { isSilent } from '../../status/capturing.ts';
import { isoTime } from '../../status/iso-time.ts';
import { askControl, rejection } from '../ask-control.ts';
import { captureWords } from '../capture-words.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { UsageError } from '../parse-command-line.ts';
import { print } from '../terminal.ts';

/** A sidecar that has just started hears from nginx within a second. */
const LOOKS = 12;
const LOOK_EVERY_MS = 250;

export const capture: Command = {
  about: 'on | off | sample N | status: switches what nginx captures, without a reload',
  options: {},
  words: ['on', 'off', 'sample', 'status'],
  configured: true,
  async run(context) {
    const mode = toMode(context.positionals);
    const { control, admin } = configure(context);
    const state = await ask(control.socket, mode);
    const { remark, isIgnored } = await followed(state, admin.listen);
    print(`capture: ${captureWords(state)}\n${remark}`);
    return mode !== undefined && isIgnored ? 1 : 0;
  },
};

/** Whether nginx follows the mode. `remark`: empty if it does; `isIgnored`: it captures views that it should not. */
async function followed(
  { mode }: CaptureState,
  listen: string,
): Promise<{ remark: string; isIgnored: boolean }> {
  const isLess = mode === 'off' || mode === 'sample';
  const sidecar = await reported(listen, isLess ? LOOKS : 1);
  if ('problem' in sidecar)
    return {
      remark: isLess ? `whether nginx follows is not known: ${sidecar.problem}\n` : '',
      isIgnored: false,
    };
  const { nginx, about } = sidecar.accounts;
  const accounts = nginx?.accounts;
  if (isLess && accounts === undefined)
    return {
      remark:
        'but no nginx has reported to this sidecar: without http-batch.conf it captures as configured. Use off.conf and reload\n',
      isIgnored: true,
    };
  if (isLess && accounts !== undefined && isSilent(accounts.reportedAt, about?.now ?? accounts.reportedAt))
    return {
      remark: `but nginx is silent since ${isoTime(accounts.reportedAt)}: it follows once it reaches the sidecar\n`,
      isIgnored: true,
    };
  const remark = accounts?.instances.some(({ off }) => off)
    ? 'but nginx includes off-batch.conf: nothing is captured until you replace it with http.conf\n'
    : '';
  return { remark, isIgnored: false };
}

/** What the sidecar says once nginx has reported to it, or after so many looks. */
async function reported(listen: string, looks: number): ReturnType<typeof askService> {
  for (let left = looks - 1; ; left--) {
    const sidecar = await askService(listen, 'admin.listen');
    if (left === 0 || 'problem' in sidecar || sidecar.accounts.nginx?.accounts !== undefined) return sidecar;
    await sleep(LOOK_EVERY_MS);
  }
}

/** Undefined: only query. */
function toMode([word = '', number, ...rest]: string[]): CaptureMode | undefined {
  const plain = number === undefined;
  if (word === 'status' && plain) return undefined;
  const mode = toCaptureMode(word === 'sample' ? { mode: word, n: Number(number) } : { mode: word });
  if (mode === undefined || rest.length > 0 || (mode.mode !== 'sample' && !plain))
    throw new UsageError('capture: must be on, off, sample N (N from 2 to 10000), or status');
  return mode;
}

async function ask(socket: string, mode: CaptureMode | undefined): Promise<CaptureState> {
  const answer = await askControl(socket, '/v1/control', { body: mode });
  if (answer.status !== 200 || answer.value === undefined) throw rejection(answer);
  return answer.value as CaptureState;
}
