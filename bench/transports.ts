/** A way from nginx to the sidecar, as the operator chooses it in nginx.conf: which of the includes go where. */
export type Transport = {
  name: 'subrequest' | 'batch' | 'log';
  http: string[];
  server: string[];
  location: string;
  /** Whether a script runs: the engine matters. */
  scripted: boolean;
};

// http-batch.conf for both that have a script, as it says: the counters and the switch belong to what is measured.
export const TRANSPORTS: Transport[] = [
  {
    name: 'subrequest',
    http: ['http.conf', 'http-batch.conf'],
    server: ['server.conf'],
    location: 'capture-subrequest.conf',
    scripted: true,
  },
  {
    name: 'batch',
    http: ['http.conf', 'http-batch.conf'],
    server: ['server.conf'],
    location: 'capture-batch.conf',
    scripted: true,
  },
  { name: 'log', http: ['http-log.conf'], server: [], location: 'capture-log.conf', scripted: false },
];
