import type { Command } from '../command.ts';
import { capture } from '../commands/capture.ts';
import { controlToken } from '../commands/control-token.ts';
import { hotBan } from '../commands/hot-ban.ts';
import { hotClear } from '../commands/hot-clear.ts';
import { hotFreeze } from '../commands/hot-freeze.ts';
import { hotList } from '../commands/hot-list.ts';
import { hotPin } from '../commands/hot-pin.ts';
import { hotShow } from '../commands/hot-show.ts';
import { hotThaw } from '../commands/hot-thaw.ts';
import { nginxDrain } from '../commands/nginx-drain.ts';
import { purge } from '../commands/purge.ts';
import { status } from '../commands/status.ts';
import { top } from '../commands/top.ts';
import { webhookTest } from '../commands/webhook-test.ts';

/** What asks the services that run here, and tells them something. */
export const questions: Record<string, Command> = {
  'nginx drain': nginxDrain,
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
  status,
  top,
};
