import { createCore } from '../../app/core.ts';
import { needsSetup } from '../../app/parts.ts';
import { setUp } from '../../app/set-up.ts';
import { importDashboard } from '../../kibana/import-dashboard.ts';
import type { Change, ChangeOptions } from '../../service/change.ts';
import { Trouble } from '../../service/trouble.ts';
import { changesText, lossesText } from '../changes-text.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { showWait } from '../progress.ts';
import { askYes, print, printJson } from '../terminal.ts';

export const setup: Command = {
  about:
    'creates the topics, the index template and its lifecycle, and the Kibana dashboards; may be repeated',
  options: {
    'dry-run': { type: 'boolean', about: 'only print what would be done' },
    yes: {
      type: 'boolean',
      about: 'do not ask before a change that deletes data, such as a shorter retention',
    },
    kibana: { type: 'string', placeholder: 'URL', about: 'also import the dashboards into this Kibana' },
    json: { type: 'boolean', about: 'print the changes as JSON' },
  },
  configured: true,
  async run(context) {
    const { 'dry-run': dryRun, yes, kibana, json, ...flags } = context.flags;
    const core = createCore(configure({ ...context, flags }));
    if (!needsSetup(core.parts) && kibana === undefined)
      throw new Trouble('there is nothing to set up', 'Set KAFKA_BROKERS, ELASTICSEARCH_NODE or --kibana.');
    const changes = dryRun === true ? await make({ dryRun: true }) : await makeAsked();
    if (json === true) printJson(changes);
    else print(changesText(changes, dryRun === true));
    return changes.some(isRefusedSetting) ? 1 : 0;

    async function make(options: ChangeOptions): Promise<Change[]> {
      const made = await showWait('waiting for Kafka and Elasticsearch', setUp(core, options));
      if (typeof kibana === 'string')
        made.push(await showWait('waiting for Kibana', importDashboard(kibana, core.config, options)));
      return made;
    }

    async function makeAsked(): Promise<Change[]> {
      if (yes === true) return make({ dryRun: false, mayLose: true });
      const losses = (await make({ dryRun: true })).filter(({ loses }) => loses !== undefined);
      return make({ dryRun: false, mayLose: losses.length > 0 && (await askYes(lossesText(losses))) });
    }
  },
};

/** A setting that was given but not applied is a failure; a dashboard that is kept is not. */
function isRefusedSetting({ action, settings }: Change): boolean {
  return action === 'kept' && settings !== undefined;
}
