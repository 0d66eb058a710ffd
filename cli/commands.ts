import { capture } from './capture.ts';
import { check } from './check.ts';
import type { Command } from './command.ts';
import { deadLettersList } from './dead-letters-list.ts';
import { deadLettersPurge } from './dead-letters-purge.ts';
import { deadLettersReplay } from './dead-letters-replay.ts';
import { deadLettersShow } from './dead-letters-show.ts';
import { doctor } from './doctor.ts';
import { nginxDrain } from './nginx-drain.ts';
import { nginxInstall } from './nginx-install-command.ts';
import { nginxRemove } from './nginx-remove-command.ts';
import { replay } from './replay.ts';
import { serviceInstall } from './service-install.ts';
import { serviceRemove } from './service-remove.ts';
import { setup } from './setup.ts';
import { sidecar } from './sidecar.ts';
import { sink } from './sink.ts';
import { start } from './start.ts';
import { status } from './status.ts';
import { verify } from './verify.ts';

export const COMMANDS: Record<string, Command> = {
  start,
  sidecar,
  sink,
  setup,
  'nginx install': nginxInstall,
  'nginx drain': nginxDrain,
  'nginx remove': nginxRemove,
  'service install': serviceInstall,
  'service remove': serviceRemove,
  capture,
  check,
  status,
  doctor,
  verify,
  replay,
  'dead-letters list': deadLettersList,
  'dead-letters show': deadLettersShow,
  'dead-letters replay': deadLettersReplay,
  'dead-letters purge': deadLettersPurge,
};
