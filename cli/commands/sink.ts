import { createCore } from '../../app/core.ts';
import { indexChecks, openIndex } from '../../app/open-index.ts';
import { runAs, warnOfRoot } from '../../app/run-as.ts';
import { runService } from '../../app/run-service.ts';
import { watchLosses } from '../../app/watch-losses.ts';
import { wireAdmin } from '../../app/wire-admin.ts';
import { catalogueAccount } from '../../app/wire-catalogue.ts';
import type { Accounts } from '../../app/wire-sidecar.ts';
import { createSinkMeters, wireKafkaSinks } from '../../app/wire-sink.ts';
import { json } from '../../service/admin/admin.ts';
import { Trouble } from '../../service/trouble.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { USER_OPTION, userOf } from '../user-flag.ts';

export const sink: Command = {
  about: 'moves events from Kafka to Elasticsearch (or DuckDB); run one or more, up to one per partition',
  options: USER_OPTION,
  configured: true,
  explainsSettings: true,
  async run(context) {
    const configured = configure(context, { silent: true });
    await runAs(userOf(context.flags), configured);
    const core = createCore(configured);
    warnOfRoot(core);
    const { config, log, parts, registry } = core;
    if (!parts.kafka) {
      throw new Trouble(
        'kafka.brokers: must be set, because a sink reads from Kafka',
        'Set KAFKA_BROKERS, or use `hotitem sidecar`, which indexes without Kafka.',
      );
    }
    return runService(core, async () => {
      const index = await openIndex(core);
      const meters = createSinkMeters(registry, core.now);
      const sinks = await wireKafkaSinks(core, index, meters);
      const lost = watchLosses(core, 'sink-losses.json', meters.losses);
      await wireAdmin(core, 'sink_listen', {
        routes: { '/api/v1/accounting': () => json(200, accounts()) },
        checks: [...sinks.checks, ...indexChecks(index)],
      });
      log.info({ group: config.kafka.group, admin: config.admin.sink_listen }, 'sink is up');

      function accounts(): Accounts {
        const outage = meters.outage.state();
        const { decisions } = sinks;
        return {
          about: core.about(),
          sink: meters.accounts(),
          ...(decisions !== undefined && { decisionSink: decisions.accounts() }),
          outage,
          losses: lost.list(),
          ...catalogueAccount(core.catalogue()),
        };
      }
    });
  },
};
