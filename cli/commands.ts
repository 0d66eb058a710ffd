import type { Command } from './command.ts';
import { backtest } from './commands/backtest.ts';
import { capture } from './commands/capture.ts';
import { check } from './commands/check.ts';
import { controlToken } from './commands/control-token.ts';
import { deadLettersList } from './commands/dead-letters-list.ts';
import { deadLettersPurge } from './commands/dead-letters-purge.ts';
import { deadLettersReplay } from './commands/dead-letters-replay.ts';
import { deadLettersShow } from './commands/dead-letters-show.ts';
import { doctor } from './commands/doctor.ts';
import { hotBan } from './commands/hot-ban.ts';
import { hotClear } from './commands/hot-clear.ts';
import { hotFreeze } from './commands/hot-freeze.ts';
import { hotList } from './commands/hot-list.ts';
import { hotPin } from './commands/hot-pin.ts';
import { hotShow } from './commands/hot-show.ts';
import { hotThaw } from './commands/hot-thaw.ts';
import { manOf } from './commands/man.ts';
import { nginxDrain } from './commands/nginx-drain.ts';
import { nginxInstall } from './commands/nginx-install.ts';
import { nginxRemove } from './commands/nginx-remove.ts';
import { purge } from './commands/purge.ts';
import { replay } from './commands/replay.ts';
import { report } from './commands/report.ts';
import { serviceInstall } from './commands/service-install.ts';
import { serviceRemove } from './commands/service-remove.ts';
import { setup } from './commands/setup.ts';
import { completionOf } from './commands/shell-completion.ts';
import { sidecar } from './commands/sidecar.ts';
import { sink } from './commands/sink.ts';
import { start } from './commands/start.ts';
import { status } from './commands/status.ts';
import { top } from './commands/top.ts';
import { verify } from './commands/verify.ts';
import { webhookTest } from './commands/webhook-test.ts';

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
  'hot list': hotList,
  'hot show': hotShow,
  'hot pin': hotPin,
  'hot ban': hotBan,
  'hot clear': hotClear,
  'hot freeze': hotFreeze,
  'hot thaw': hotThaw,
  purge,
  'control token': controlToken,
  'webhook test': webhookTest,
  backtest,
  report,
  check,
  status,
  top,
  doctor,
  verify,
  replay,
  'dead-letters list': deadLettersList,
  'dead-letters show': deadLettersShow,
  'dead-letters replay': deadLettersReplay,
  'dead-letters purge': deadLettersPurge,
  completion: completionOf(() => COMMANDS),
  man: manOf(() => COMMANDS),
};
