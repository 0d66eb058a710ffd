// The locations in nginx/server.conf: to the sidecar, and directly to the spill file.
export const CAPTURE = '/_hotitem/capture';
export const SPILL = '/_hotitem/spill';
