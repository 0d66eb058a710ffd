import type { LiveChange, LiveSnapshot } from '../heat/live.ts';
import { applyChange } from './live-state.ts';
import { asksForLogin } from './login.ts';

/*
 * One stream for all tabs of a browser, which has six connections to a server at most. One tab has the stream and leads; it passes on what it
 * is told. A tab that is hidden does not lead; one that hears nothing from a leader becomes one.
 */

export type LiveView = {
  state?: LiveSnapshot;
  /** When that was received, by `performance.now()`. */
  toldAt: number;
  /** `off`: the sidecar does not detect hot items. `lost`: it does not answer. `login`: a proxy before it asks for a login. */
  link: 'connecting' | 'live' | 'lost' | 'off' | 'login';
};

type WhyNone = Exclude<LiveView['link'], 'connecting' | 'live'>;

type Message =
  | { from: string; kind: 'hello' | 'alive' | 'bye' }
  | { from: string; kind: 'state'; view: Pick<LiveView, 'state' | 'link'> };

const CHANNEL = 'hotitem-live';
const ALIVE_EVERY_MS = 1_000;
/** A leader that is silent for as long is gone. */
const SILENT_MS = 3_000;
/** A leader that is there says so sooner, or is the one that stays. */
const HELLO_MS = 30;
/** In which those that are left take over from a leader that goes. */
const TURN_MS = 300;
const LOOK_EVERY_MS = 150;
const RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;
/** The stream says something twice a second. */
export const STALE_MS = 4_000;
/** After a sleep, or in another network, nobody says that the connection is gone. Longer than a slow one takes for the first snapshot. */
const DEAD_MS = 15_000;

/** Tells `onChange` what is known whenever it changes. */
export function openLiveStream(path: string, onChange: (view: LiveView) => void): void {
  const self = crypto.getRandomValues(new Uint32Array(2)).join('-');
  const channel = new BroadcastChannel(CHANNEL);
  let view: LiveView = { toldAt: performance.now(), link: 'connecting' };
  let source: EventSource | undefined;
  let isLeading = false;
  /** When the stream was opened, or last said something. */
  let saidAt = performance.now();
  let heardAt = performance.now();
  let wait = HELLO_MS;
  channel.addEventListener('message', ({ data }: MessageEvent<Message>) => hear(data));
  document.addEventListener('visibilitychange', () => (document.hidden ? leave() : join()));
  addEventListener('pagehide', leave);
  addEventListener('pageshow', join);
  setInterval(look, LOOK_EVERY_MS);
  setInterval(beAlive, ALIVE_EVERY_MS);
  join();

  function join(): void {
    if (document.hidden || isLeading) return;
    heardAt = performance.now();
    wait = HELLO_MS;
    say({ from: self, kind: 'hello' });
    setTimeout(look, HELLO_MS + 1);
  }

  function leave(): void {
    if (!isLeading) return;
    stopLeading();
    say({ from: self, kind: 'bye' });
  }

  function look(): void {
    if (isLeading) reviveStream();
    if (document.hidden || isLeading || performance.now() - heardAt < wait) return;
    isLeading = true;
    connect();
    beAlive();
  }

  /** One that was refused has a time of its own. */
  function reviveStream(): void {
    if (source?.readyState !== EventSource.CLOSED && performance.now() - saidAt > DEAD_MS) connect();
  }

  function beAlive(): void {
    if (isLeading) say({ from: self, kind: 'alive' });
  }

  function stopLeading(): void {
    isLeading = false;
    source?.close();
    source = undefined;
  }

  function hear(message: Message): void {
    if (message.kind === 'hello') {
      if (isLeading) passOn();
      return;
    }
    heardAt = performance.now();
    // Whose turn it is now: not all at once.
    wait = message.kind === 'bye' ? Math.random() * TURN_MS : SILENT_MS + Math.random() * SILENT_MS;
    if (message.kind === 'bye') return;
    // Two that lead: the lower name stays.
    if (isLeading && message.from < self) stopLeading();
    if (message.kind === 'state' && !isLeading) set(message.view);
  }

  function connect(): void {
    if (!isLeading) return;
    source?.close();
    const opened = new EventSource(path);
    source = opened;
    saidAt = performance.now();
    opened.addEventListener('snapshot', ({ data }) => tell(JSON.parse(data) as LiveSnapshot));
    opened.addEventListener('change', ({ data }) => {
      if (view.state !== undefined) tell(applyChange(view.state, JSON.parse(data) as LiveChange));
    });
    // The sidecar ends each stream after a while.
    opened.addEventListener('again', connect);
    opened.addEventListener('error', () => {
      // The browser asks again by itself where the connection broke, and not where it was refused.
      if (opened.readyState === EventSource.CLOSED) void again(opened);
      else lose('lost');
    });
  }

  /** Unless another stream has taken the place of that one. */
  async function again(refused: EventSource): Promise<void> {
    const signal = AbortSignal.timeout(DEAD_MS);
    const answer = await fetch(path, { method: 'HEAD', redirect: 'manual', signal }).catch(() => undefined);
    if (source !== refused) return;
    lose(whyNone(answer));
    setTimeout(() => {
      if (source === refused) connect();
    }, waitOf(answer));
  }

  function tell(state: LiveSnapshot): void {
    saidAt = performance.now();
    set({ state, link: 'live' });
    passOn();
  }

  function lose(link: WhyNone): void {
    if (!isLeading) return;
    set({ link, ...(view.state !== undefined && { state: view.state }) });
    passOn();
  }

  function set(next: Pick<LiveView, 'state' | 'link'>): void {
    view = { ...next, toldAt: next.link === 'live' ? performance.now() : view.toldAt };
    onChange(view);
  }

  function passOn(): void {
    const { state, link } = view;
    if (link === 'connecting') return;
    say({ from: self, kind: 'state', view: { link, ...(state !== undefined && { state }) } });
  }

  function say(message: Message): void {
    channel.postMessage(message);
  }
}

function whyNone(answer: Response | undefined): WhyNone {
  if (answer === undefined) return 'lost';
  if (asksForLogin(answer)) return 'login';
  return answer.status === 404 ? 'off' : 'lost';
}

/** How long the sidecar asks to wait before the next try, and a little longer: the browsers that it rejects together should not come back together. */
function waitOf(answer: Response | undefined): number {
  const seconds = Number(answer?.headers.get('retry-after') ?? 0);
  const wait = seconds > 0 ? Math.min(seconds * 1_000, LONGEST_RETRY_MS) : RETRY_MS;
  return wait * (1 + Math.random() / 2);
}
