import { keepTrying } from '../service/keep-trying.ts';
import { reasonOf } from '../service/log.ts';
import { SetupRefused } from '../store/elasticsearch/setup-refused.ts';
import type { Core } from './core.ts';
import { openIndex } from './open-index.ts';
import { needsSetup } from './parts.ts';
import { setUp } from './set-up.ts';
import { wireAdmin } from './wire-admin.ts';
import type { OnHotChange } from './wire-heat.ts';
import { wireSidecar } from './wire-sidecar.ts';
import { createSinkMeters, wireKafkaSinks } from './wire-sink.ts';

/**
 * Runs everything in this process: the sidecar, with Kafka also a sink, and `hotitem setup` in the background. It does not wait for Kafka
 * or Elasticsearch: until they answer, events stay in the spool.
 */
export async function startServices(core: Core, onHotChange: OnHotChange): Promise<void> {
  const { parts, registry } = core;
  if (needsSetup(parts)) setUpInBackground(core);
  if (!parts.kafka) {
    await wireAdmin(core, 'listen', await wireSidecar(core, { onHotChange }));
    return;
  }
  const index = await openIndex(core);
  const meters = createSinkMeters(registry, core.now);
  const sinks = await wireKafkaSinks(core, index, meters);
  await wireAdmin(
    core,
    'listen',
    await wireSidecar(core, { sink: { index, meters, ...sinks }, onHotChange }),
  );
}

/** `hotitem setup` as soon as Kafka and Elasticsearch answer. It makes no change that loses data: there is nobody to ask. */
function setUpInBackground(core: Core): void {
  const { warn, shutdown } = core;
  const stopping = new AbortController();
  const done = keepTrying(() => attemptSetup(core), {
    signal: stopping.signal,
    onFailure: (error) =>
      warn('setup', 'Kafka or Elasticsearch is not ready; events wait', { reason: reasonOf(error) }),
  }).catch(() => {});
  shutdown.add('setup', async () => {
    stopping.abort();
    await done;
  });
}

/** Also resolves if setup refuses a change: another attempt would refuse it again. */
async function attemptSetup(core: Core): Promise<void> {
  const { log } = core;
  try {
    const changes = await setUp(core, { dryRun: false });
    log.info({ changes }, 'topics and index are set up');
    const kept = changes.filter(({ action }) => action === 'kept');
    if (kept.length > 0)
      log.warn({ changes: kept }, 'a setting is not applied: it would lose data; see hotitem setup');
  } catch (error) {
    if (!(error instanceof SetupRefused)) throw error;
    log.error({ reason: error.message }, 'the index is not set up');
  }
}
