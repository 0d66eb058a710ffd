import { BATCH_FROM } from '../program/version.ts';

/** How a view is transported. */
export type Transport = 'subrequest' | 'batch' | 'log';

export type Include = {
  /** The blocks in which it is valid; `if` means an `if` in a location. */
  context: readonly string[];
  /** The oldest njs that runs it; absent: it needs no njs. */
  njs?: string;
  /** Needs njs built with QuickJS. */
  quickjs?: true;
  /** Oldest nginx; absent: any. */
  nginx?: string;
  /** Of each of these groups, one file must be included in the `http` or `server` around it. */
  requires?: readonly { in: 'http' | 'server'; oneOf: readonly string[] }[];
  /** It defines the line: exactly one such include per nginx. */
  alone?: true;
  /** A location that includes it captures with this transport. */
  transport?: Transport;
  /** The operator may edit it: it is never compared with our template. */
  yours?: true;
};

const DEFINED = { in: 'http', oneOf: ['http.conf', 'http-log.conf', 'off.conf'] } as const;
const SCRIPTED = { in: 'http', oneOf: ['http.conf', 'off.conf'] } as const;
const SCRIPT = { in: 'http', oneOf: ['http.conf', 'off-batch.conf'] } as const;
const BATCH = { in: 'http', oneOf: ['http-batch.conf'] } as const;
const SERVER = { in: 'server', oneOf: ['server.conf'] } as const;
const HOT_DEFINED = { in: 'http', oneOf: ['http-hot.conf', 'off-hot.conf', 'off.conf'] } as const;
const LOOKED = { in: 'server', oneOf: ['server-hot.conf'] } as const;
const PROTECT_DEFINED = { in: 'http', oneOf: ['http-protect.conf', 'off-protect.conf'] } as const;
const PROTECT_LOOKED = { in: 'server', oneOf: ['server-protect.conf'] } as const;
const ACTIONS_LOOKED = { in: 'server', oneOf: ['server-actions.conf'] } as const;
const LOCATION = ['location', 'if'] as const;

/** Every include that `hotitem nginx install` writes, with what its own first lines state. A new include needs a line here. */
export const INCLUDES: Readonly<Record<string, Include>> = {
  'http.conf': { context: ['http'], njs: '0.7.9', nginx: '1.22', alone: true },
  'http-batch.conf': { context: ['http'], njs: BATCH_FROM, requires: [SCRIPT] },
  'http-log.conf': { context: ['http'], nginx: '1.22', alone: true },
  'off.conf': { context: ['http'], alone: true },
  'off-batch.conf': { context: ['http'], requires: [BATCH] },
  'engine-njs.conf': { context: ['http'], njs: '0.7.9' },
  'engine-qjs.conf': { context: ['http'], njs: '1.0.1', quickjs: true },
  'fetch-njs.conf': { context: ['location'] },
  'fetch-qjs.conf': { context: ['location'], njs: '0.9.4' },
  'version.conf': { context: ['http'] },
  'items.conf': { context: ['http'], yours: true },
  'line.conf': { context: ['http'], nginx: '1.22' },
  'server.conf': { context: ['server'], requires: [SCRIPTED] },
  'log.conf': { context: ['http', 'server', 'location'], requires: [DEFINED] },
  'log-cut.conf': { context: ['http', 'server', 'location'], requires: [SCRIPTED] },
  'log-shared.conf': { context: ['http', 'server', 'location'], requires: [DEFINED, PROTECT_DEFINED] },
  'log-limit.conf': { context: ['server'], requires: [DEFINED] },
  'capture-subrequest.conf': { context: LOCATION, requires: [SCRIPTED, SERVER], transport: 'subrequest' },
  'capture-batch.conf': { context: LOCATION, requires: [SCRIPTED, BATCH, SERVER], transport: 'batch' },
  'http-hot.conf': { context: ['http'], nginx: '1.18', requires: [DEFINED] },
  'off-hot.conf': { context: ['http'] },
  'server-hot.conf': { context: ['server'], requires: [HOT_DEFINED] },
  'hot.conf': { context: ['location'], requires: [HOT_DEFINED, LOOKED] },
  'http-protect.conf': { context: ['http'], nginx: '1.22', requires: [HOT_DEFINED] },
  'off-protect.conf': { context: ['http'] },
  'tracking.conf': { context: ['http'], yours: true },
  'cookies.conf': { context: ['http'], yours: true },
  'server-protect.conf': { context: ['server'], requires: [PROTECT_DEFINED, LOOKED] },
  'server-actions.conf': { context: ['server'], requires: [PROTECT_DEFINED, LOOKED] },
  'cache.conf': { context: ['location'], requires: [PROTECT_DEFINED, PROTECT_LOOKED] },
  'cache-fastcgi.conf': { context: ['location'], requires: [PROTECT_DEFINED, PROTECT_LOOKED] },
  'limit.conf': { context: ['location'], requires: [PROTECT_DEFINED, ACTIONS_LOOKED] },
  'isolate.conf': { context: ['location'], requires: [PROTECT_DEFINED, ACTIONS_LOOKED] },
  'isolated.conf': { context: ['location'], requires: [PROTECT_DEFINED, ACTIONS_LOOKED] },
  'announce.conf': { context: ['location'], requires: [PROTECT_DEFINED, ACTIONS_LOOKED] },
  'announce-fastcgi.conf': { context: ['location'], requires: [PROTECT_DEFINED, ACTIONS_LOOKED] },
  'capture-log.conf': { context: LOCATION, requires: [DEFINED], transport: 'log' },
};

/** The variables whose evaluation captures a view, for operators who write the `set` line themselves. */
export const CAPTURE_VARIABLES: Readonly<Record<string, Transport>> = {
  hotitem_capture: 'subrequest',
  hotitem_capture_batch: 'batch',
  hotitem_line: 'log',
};

/** The `access_log` format that writes our line, and its variable. */
export const LINE_FORMAT = 'hotitem';
/** That of log-shared.conf. */
export const SHARED_FORMAT = 'hotitem_shared';
export const LINE_VARIABLE = '$hotitem_line';
export const CAPTURE_URI = '/_hotitem/capture';
export const SPILL_URI = '/_hotitem/spill';
/** The variable by which server.conf recognises the script's own subrequest. */
export const SUBREQUEST_VARIABLE = '$hotitem_subrequest';
export const UPSTREAM = 'hotitem_sidecar';
/** The Host header that server.conf sends. */
export const SIDECAR_HOST = 'hotitem';
export const EVENTS_ZONE = 'hotitem_events';
