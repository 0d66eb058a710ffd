import { capture } from './capture.ts';
import { check } from './check.ts';
import type { Command } from './command.ts';
import { nginxInstall } from './nginx-install-command.ts';
import { setup } from './setup.ts';
import { sidecar } from './sidecar.ts';
import { sink } from './sink.ts';
import { start } from './start.ts';
import { status } from './status.ts';

export const COMMANDS: Record<string, Command> = {
  start,
  sidecar,
  sink,
  setup,
  'nginx install': nginxInstall,
  capture,
  check,
  status,
};
