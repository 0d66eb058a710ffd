import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export type FloodOptions = {
  /** The sidecar's socket. */
  socket: string;
  events: number;
  perSecond: number;
};

export type Flood = {
  /** Acknowledged events so far. */
  acknowledged(): number;
  /** Requests sent again so far. */
  repeated(): number;
  /** Resolves when each event is acknowledged. */
  done: Promise<void>;
};

const LINES = 1_000;
const SENDERS = 4;
const AGAIN_MS = 100;
const TIMEOUT_MS = 5_000;
const DIGITS = 8;
/** The id of an event starts with its time; the number of the event is in the rest. */
const NUMBER_AT = 12 + DIGITS;

/** Posts events like the zone of nginx: a thousand at a time, each repeated until it is acknowledged. */
export function startFlood({ socket, events, perSecond }: FloodOptions): Flood {
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  const began = performance.now();
  let next = 0;
  let acknowledged = 0;
  let repeated = 0;
  const done = Promise.all(Array.from({ length: SENDERS }, sendAll)).then(() => agent.destroy());
  return { acknowledged: () => acknowledged, repeated: () => repeated, done };

  async function sendAll(): Promise<void> {
    while (next < events) {
      const first = next;
      next += LINES;
      await sleep(Math.max(0, began + (first / perSecond) * 1_000 - performance.now()));
      const last = Math.min(first + LINES, events);
      const body = Array.from({ length: last - first }, (_, i) => lineOf(first + i)).join('');
      while ((await post(body)) !== 204) {
        repeated++;
        await sleep(AGAIN_MS);
      }
      acknowledged += last - first;
    }
  }

  /** The status of the response; 0 if there was none. */
  function post(body: string): Promise<number> {
    const options = { agent, socketPath: socket, path: '/v1/lines', method: 'POST', timeout: TIMEOUT_MS };
    return new Promise((resolve) => {
      const asked = request(options, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
        response.on('error', () => resolve(0));
      });
      asked.on('timeout', () => asked.destroy());
      asked.on('error', () => resolve(0));
      asked.end(body);
    });
  }
}

/** The number of the event in the flood. */
export function numberOf(id: string): number {
  return Number.parseInt(id.slice(NUMBER_AT, NUMBER_AT + DIGITS), 16);
}

function lineOf(number: number): string {
  const time = (Date.now() / 1_000).toFixed(3);
  const requestId = `${'f'.repeat(DIGITS)}${number.toString(16).padStart(DIGITS, '0')}`.padEnd(32, '0');
  const item = (number % 300) + 1;
  return `2\t${time}\t${requestId}\t203.0.113.7\tGET\tshop\t/web/item/${item}.html\t${item}\t\t\t\tMozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\n`;
}
