import { toUrl } from '../service/listen-address.ts';
import type { SidecarAccounts } from '../sidecar/accounting.ts';
import type { NginxAccounts } from '../sidecar/nginx-books.ts';
import type { Nginx } from '../sidecar/sidecar.ts';
import { captureWords } from './capture.ts';
import type { Command } from './command.ts';
import { configure } from './configure.ts';
import { plainText } from './plain-text.ts';
import { print, printJson } from './terminal.ts';
import { Trouble } from './trouble.ts';
import type { Accounts } from './wire-sidecar.ts';
import type { SinkAccounts } from './wire-sink.ts';

export const status: Command = {
  about: 'asks the running sidecar how it is: ready or not, and its books',
  options: { json: { type: 'boolean', about: 'print JSON' } },
  configured: true,
  async run(context) {
    const { json, ...flags } = context.flags;
    const { admin } = configure({ ...context, flags });
    const base = toUrl(admin.listen);
    const [ready, accounts] = await Promise.all([
      ask(`${base}/readyz?verbose`),
      ask(`${base}/api/v1/accounting`),
    ]);
    const answer = { ready: ready.ok, checks: ready.body.trim(), ...toAccounts(accounts) };
    if (json === true) printJson(answer);
    else print(table(answer));
    return ready.ok ? 0 : 1;
  },
};

type Answer = { from: string; ok: boolean; status: number; body: string };

async function ask(url: string): Promise<Answer> {
  try {
    const reply = await fetch(url, { signal: AbortSignal.timeout(5_000), redirect: 'manual' });
    return { from: new URL(url).host, ok: reply.ok, status: reply.status, body: await reply.text() };
  } catch {
    throw new Trouble(
      `nobody answers at ${new URL(url).host}`,
      'Is the sidecar running? admin.listen says where it listens.',
    );
  }
}

function toAccounts({ from, ok, status, body }: Answer): Accounts {
  try {
    if (ok) return JSON.parse(body) as Accounts;
  } catch {
    // No sidecar answers in anything but JSON.
  }
  const [said = ''] = body.trim().split('\n', 1);
  throw new Trouble(
    `${from} answers ${status}: ${plainText(said, 200)}`,
    'Is it the sidecar that listens there? admin.listen says where it does.',
  );
}

const NGINX: [keyof NginxAccounts, string][] = [
  ['captured', 'captured'],
  ['buffered', 'buffered'],
  ['spilled', 'spilled'],
  ['dropped', 'dropped'],
  ['unaccounted', 'unaccounted'],
  ['instances', 'instances'],
];
const SIDECAR: [keyof SidecarAccounts, string][] = [
  ['received', 'lines received'],
  ['accepted', 'accepted'],
  ['duplicate', 'duplicate'],
  ['sampledOut', 'sampled out'],
  ['bad', 'bad'],
  ['ladder', 'ladder step'],
  ['waitingAtStart', 'waiting at start'],
  ['waiting', 'waiting'],
  ['delivered', 'delivered'],
  ['dead', 'dead letters'],
  ['lost', 'lost to damage'],
  ['unaccounted', 'unaccounted'],
];
const SINK: [keyof SinkAccounts, string][] = [
  ['consumed', 'consumed'],
  ['indexed', 'indexed'],
  ['existing', 'there already'],
  ['dead', 'dead letters'],
  ['unaccounted', 'unaccounted'],
];

function table({
  ready,
  checks,
  nginx,
  sidecar,
  sink,
}: Accounts & { ready: boolean; checks: string }): string {
  return [
    ready ? 'ready' : `not ready\n  ${checks.replaceAll('\n', '\n  ')}`,
    ...(nginx === undefined ? [] : ['nginx', ...ofNginx(nginx)]),
    ...(sidecar === undefined ? [] : ['sidecar', ...rows(SIDECAR, sidecar)]),
    ...(sink === undefined ? [] : ['sink', ...rows(SINK, sink)]),
    '',
  ].join('\n');
}

function ofNginx({ capture, accounts }: Nginx): string[] {
  return [`  ${'capture'.padEnd(18)}${captureWords(capture).padStart(12)}`, ...ofAccounts(accounts)];
}

function ofAccounts(accounts: Partial<NginxAccounts> | undefined): string[] {
  if (accounts === undefined) return ['  no counters (http-batch.conf)'];
  const { instances, ...counters } = accounts;
  return rows(NGINX, { ...counters, ...(instances !== undefined && { instances: instances.length }) });
}

/** What a sidecar of another version does not know is left out. */
function rows<K extends string>(labels: [K, string][], values: Partial<Record<K, number>>): string[] {
  return labels
    .filter(([key]) => values[key] !== undefined)
    .map(([key, label]) => `  ${label.padEnd(18)}${String(values[key]).padStart(12)}`);
}
