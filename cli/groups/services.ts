import type { Command } from '../command.ts';
import { sidecar } from '../commands/sidecar.ts';
import { sink } from '../commands/sink.ts';

/** What runs beside nginx, and beside the index. */
export const services: Record<string, Command> = {
  sidecar,
  sink,
};
