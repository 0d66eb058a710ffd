import { isIP, isIPv4, isIPv6 } from 'node:net';
import * as z from 'zod';

/** Longer timers of Node fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** The largest buffer of Node and Elasticsearch without a special build. */
const MOST_BYTES_AT_ONCE = 1024 * 1024 * 1024;

const LABEL = /^[a-z\d_](?:[\w-]{0,61}[a-z\d_])?$/i;
const CONTROL = /\p{Cc}/u;

export const count = z.number().int().positive();
/** A size on disk, in bytes. */
export const bytes = z.number().int().positive();
/** A size of something held in memory at once. */
export const bytesAtOnce = bytes.max(MOST_BYTES_AT_ONCE);
/** A duration. */
export const seconds = count.max(Math.floor(LONGEST_TIMER_MS / 1000));

/** A single line of text, such as a name. */
export const words = z
  .string()
  .min(1)
  .max(255)
  .refine((text) => !CONTROL.test(text), { message: 'must not contain control characters' });

/** What separates fields cannot be in a heading of CSV. */
export const heading = words.trim().regex(/^[^,;|"]+$/, 'must be text without , ; | and "');

export const path = z
  .string()
  .min(1)
  .refine((text) => !text.includes('\0'), { message: 'must not contain a NUL' });

/** The environment and flags are text only. */
export const yesOrNo = z.union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })], {
  error: 'must be true or false',
});

/** The limit of Kafka: see `Topic.validate` of its source. */
export const topic = z
  .string()
  .regex(/^(?!\.{1,2}$)[\w.-]{1,249}$/, 'must be 1 to 249 of A-Z a-z 0-9 . _ -, and not . or ..');

/** A consumer group. */
export const group = z.string().regex(/^[\w.-]{1,200}$/, 'must be 1 to 200 of A-Z a-z 0-9 . _ -');

/** The limits of Elasticsearch, less what it adds for the names of backing indices. */
export const dataStream = z
  .string()
  .regex(/^[a-z\d][a-z\d._-]{0,199}$/, 'must be 1 to 200 of a-z 0-9 . _ -, beginning with a letter or digit');

/** An address to listen on. Port 0: any free one. */
export const listenAddress = z.string().refine((text) => isAddress(text, 0), {
  message: 'must be HOST:PORT, IPv6 as [::1]:PORT, port up to 65535',
});

/** Whether an address can be reached from this host only. */
export function isLoopback(text: string): boolean {
  return /^(?:127\.[\d.]+|\[::1\]|localhost):\d+$/i.test(text);
}

/** An address to connect to. */
export const address = z.string().refine((text) => isAddress(text, 1), {
  message: 'must be HOST:PORT, IPv6 as [::1]:PORT, port 1 to 65535',
});

/** A Host header without its port. */
export const hostName = z
  .string()
  .refine(isHost, { message: 'must be a host name or an address, IPv6 as [::1], without a port' });

const anyUrl = z.url({ protocol: /^https?$/, error: 'must be a URL like https://HOST:PORT' });

/** The URL of a service, without a login. */
export const url = anyUrl
  .refine((text) => !URL.canParse(text) || hasNoLogin(new URL(text)), {
    message: 'must not contain a login: use username and password',
  })
  .refine((text) => !/[^\x21-\x7e]/.test(text), { message: 'must be printable ASCII without spaces' })
  .refine((text) => !/[?#]/.test(text), { message: 'must end with its path, without ? or #' })
  .refine((text) => !URL.canParse(text) || (isHost(new URL(text).hostname) && new URL(text).port !== '0'), {
    message: 'must be one address like https://HOST:9200',
  });

/** Where a message is posted: https, or http on this host. */
export const webhookUrl = anyUrl
  .refine((text) => !URL.canParse(text) || hasNoLogin(new URL(text)), {
    message: 'must not contain a login: the secret signs the message',
  })
  .refine(
    (text) => !URL.canParse(text) || new URL(text).protocol === 'https:' || isOfThisHost(new URL(text)),
    {
      message: 'must be https, unless it is on this host',
    },
  );

/** What the keeper or HTTP itself says in a request. */
const RESERVED_HEADER =
  /^(?:host|connection|keep-alive|cookie|authorization|accept(?:-.*)?|user-agent|range|if-.*|te|trailer|transfer-encoding|content-.*|expect|upgrade)$/i;

/** A header of a request, `NAME: VALUE`. */
export const requestHeader = z
  .string()
  .max(500)
  .regex(
    /^[\w!#$%&'*+.^`|~-]+: [\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/,
    'must be NAME: VALUE in printable ASCII',
  )
  .refine((text) => !RESERVED_HEADER.test(text.split(':', 1)[0] ?? ''), {
    message:
      'must not be a header that the sidecar sets itself, nor a login, a cookie, a range or a condition',
  });

/** Used unescaped in a header. */
export const headerText = z
  .string()
  .min(1)
  .regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces');

function isOfThisHost({ hostname }: URL): boolean {
  return isLoopback(`${hostname}:0`);
}

function hasNoLogin({ username, password }: URL): boolean {
  return username === '' && password === '';
}

/** Whether it is `HOST:PORT`, with a port from `leastPort` on. */
export function isAddress(text: string, leastPort: number): boolean {
  const [, host = '', port = ''] = /^(.+):(\d{1,5})$/.exec(text) ?? [];
  return isHost(host) && Number(port) >= leastPort && Number(port) <= 65_535;
}

/** A DNS name (with underscores, which container networks allow), or an address. */
function isHost(host: string): boolean {
  const inner = /^\[(.+)\]$/.exec(host)?.[1];
  if (inner !== undefined) return isIPv6(inner);
  if (isIP(host) !== 0) return isIPv4(host);
  const labels = host.replace(/\.$/, '').split('.');
  // `999.0.0.1` is not a name: resolvers parse it as an address.
  return (
    host.length <= 253 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1) ?? '')
  );
}
