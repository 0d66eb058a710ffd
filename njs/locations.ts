// The locations in nginx/server.conf: to the sidecar, and straight to the spill file.
export const CAPTURE = '/_hotitem/capture';
export const SPILL = '/_hotitem/spill';
