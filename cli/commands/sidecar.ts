import { createCore } from '../../app/core.ts';
import { runAs, warnOfRoot } from '../../app/run-as.ts';
import { runService } from '../../app/run-service.ts';
import { wireAdmin } from '../../app/wire-admin.ts';
import { wireSidecar } from '../../app/wire-sidecar.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { USER_OPTION, userOf } from '../user-flag.ts';

export const sidecar: Command = {
  about: 'runs the sidecar, beside each nginx: receives views, stores and forwards them',
  options: USER_OPTION,
  configured: true,
  explainsSettings: true,
  async run(context) {
    const configured = configure(context, { silent: true });
    await runAs(userOf(context.flags), configured);
    const core = createCore(configured);
    warnOfRoot(core);
    const { config, log } = core;
    return runService(core, async () => {
      await wireAdmin(core, 'listen', await wireSidecar(core));
      log.info({ socket: config.intake.socket, admin: config.admin.listen }, 'sidecar is up');
    });
  },
};
