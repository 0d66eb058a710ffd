import type { NginxPart } from '../test/parts/nginx.ts';

/** One configured nginx with one worker: what a case of a bench puts its load on. Each start is a new process. */
export type Edge = {
  /** Of 127.0.0.1. */
  port: number;
  start(): Promise<NginxPart>;
};

/** The page whose views are measured, on every edge, and one to warm up with. */
export const MEASURED_PAGE = '/web/item/4711.html';
export const WARM_UP_PAGE = '/web/item/1001.html';
