import Sequencer from '@jest/test-sequencer';

/**
 * What takes longest begins first, so that nothing is left running alone at the end. Those with a Kafka and an Elasticsearch of
 * their own are apart from each other: together they would need the memory of a larger machine.
 */
const LONGEST = [
  'integration/nginx-requests',
  'integration/outages',
  'integration/nginx-batch',
  'integration/undecodable',
  'integration/nginx-batch-stop',
  'integration/verify',
  'integration/nginx-spill',
  'integration/capture-switch',
  'integration/kafka-clients',
  'integration/distributed',
  'faults/faults',
  'integration/sink-group',
  'integration/kafka-permissions',
  'integration/nginx-visitor',
  'integration/nginx-log',
  'integration/nginx-log-loss',
  'integration/article',
  'integration/index-elasticsearch',
  'integration/check-nginx',
  'integration/sink-faults',
  'integration/dead-letters',
  'integration/start-distributed',
  'integration/kafka-access',
  'integration/page',
  'integration/replay',
  'integration/kafka-forwarder',
  'integration/embedded',
  'integration/kafka-cluster',
  'integration/page-hot',
  'integration/keeper',
  'integration/nginx-inherited',
  'integration/package',
  'integration/cli',
  'integration/start',
  'integration/nginx-uris',
  'unit/detect/heat',
  'unit/store/spool/recovery',
  'unit/store/spool/crash',
];

/** The order of a run: what is named above; what else needs real parts; the unit tests, which fill what is left. */
export default class extends Sequencer {
  sort(tests) {
    return super.sort(tests).toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}

function rankOf({ path }) {
  const known = LONGEST.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
  if (known >= 0) return known;
  return path.includes('/test/unit/') ? LONGEST.length + 1 : LONGEST.length;
}
