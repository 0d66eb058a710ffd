import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Permission } from '../integration/permissions.ts';
import { attack, EVERYTHING_ODD, letIn } from '../parts/hostile-spill.ts';
import { withAdmin } from '../parts/kafka-admin.ts';
import { until } from '../parts/until.ts';
import { passSink, untilAllCommitted } from './retention.ts';
import type { KafkaClientName, Need, Stage, Transport } from './stage.ts';
import { damageOne, writeForeign } from './strange-batches.ts';
import { writeBombs, writePits } from './throw-bombs.ts';

export type Scenario = {
  name: string;
  /** What is done while views arrive. */
  does: string;
  transports: Transport[];
  /** If it is part of `npm test`, with the first transport: for how many seconds views arrive there. */
  short?: number;
  needs?: Need[];
  /** `kafka.client` of sidecar and sink. */
  client?: KafkaClientName;
  /** For how many seconds views arrive. Default 12. */
  seconds?: number;
  /** Begins two seconds after the first view. */
  act(stage: Stage): Promise<void>;
  /**
   * Which views with an answered page may be lost, and why; absent: none. Only those answered within `withinMs` of a moment that
   * the stage noted as `losing`, and each must still be in a counter.
   */
  mayLose?: { why: string; withinMs: number };
  /** Why some pages may get no response. */
  mayRefuse?: string;
  /** Why events may be ingested twice, and the accounting of nginx, which restarts with each sidecar, may not balance. */
  mayRepeat?: string;
};

const FORGETS = 'a killed sidecar forgets which lines it has ingested, and lines in flight are sent again';
const CLOSED =
  'while nginx does not listen nothing answers, and a worker that exits closes idle connections, also one on which a request is arriving';
const CLIENTS: KafkaClientName[] = ['kafkajs', 'platformatic'];
const LOST: Permission[] = [
  { whose: 'sidecar', on: 'topic', operation: 'WRITE' },
  { whose: 'sink', on: 'group', operation: 'READ' },
];
const BOTH: Transport[] = ['batch', 'subrequest'];

/** Every fault that a shop must expect, and what it may lose. */
export const SCENARIOS: Scenario[] = [
  {
    name: 'sidecar killed',
    does: 'kill -9 of the sidecar, started again after 2 s',
    transports: ['subrequest', 'batch'],
    short: 6,
    mayRepeat: FORGETS,
    async act({ chain }) {
      await chain.sidecar.kill();
      await sleep(2_000);
      await chain.sidecar.start();
    },
  },
  {
    name: 'sidecar killed three times',
    does: 'kill -9 of the sidecar every 1.5 s, started again at once',
    transports: BOTH,
    mayRepeat: FORGETS,
    async act({ chain }) {
      for (let i = 0; i < 3; i++) {
        await chain.sidecar.kill();
        await chain.sidecar.start();
        await sleep(1_500);
      }
    },
  },
  {
    name: 'sidecar frozen',
    does: 'SIGSTOP of the sidecar for 4 s: its socket accepts connections and nothing answers',
    transports: BOTH,
    async act({ chain }) {
      chain.sidecar.pause();
      await sleep(4_000);
      chain.sidecar.resume();
    },
  },
  {
    name: 'sink killed',
    does: 'kill -9 of the sink, started again at once',
    transports: ['batch'],
    async act({ chain }) {
      await chain.sink?.kill();
      await chain.sink?.start();
    },
  },
  {
    name: 'retention passes a stopped sink',
    does: 'the sink stopped; 3 s later the beginning of each partition moves beyond what it has read; the sink started again',
    transports: ['batch'],
    seconds: 16,
    async act(stage) {
      await untilAllCommitted(stage);
      await stage.chain.sink?.stop();
      await sleep(3_000);
      await passSink(stage);
      await stage.chain.sink?.start();
    },
  },
  {
    name: 'worker killed',
    does: 'kill -9 of a worker of nginx, twice: each worker once',
    transports: BOTH,
    mayLose: { why: 'a worker loses its views in flight', withinMs: 200 },
    mayRefuse: 'the pages that the worker was serving get no response',
    async act({ chain, losing }) {
      for (const worker of await chain.nginx.workers()) {
        await losing(async () => process.kill(worker, 'SIGKILL'));
        await sleep(2_500);
      }
    },
  },
  {
    name: 'ten reloads',
    does: 'nginx -s reload, ten times',
    transports: BOTH,
    seconds: 16,
    mayRefuse: 'a worker that exits closes idle connections, also one on which a request is arriving',
    async act({ chain }) {
      for (let i = 0; i < 10; i++) await chain.nginx.reload();
    },
  },
  {
    name: 'nginx restarted',
    does: 'nginx -s quit and a start, as a package or service manager restarts it',
    transports: ['batch'],
    short: 5,
    mayRefuse: CLOSED,
    async act({ chain }) {
      await chain.nginx.quit();
      await chain.nginx.start();
    },
  },
  {
    name: 'nginx restarted, sidecar down',
    does: 'kill -9 of the sidecar, nginx -s quit and a start, the sidecar started again after 2 s',
    transports: ['batch'],
    mayRefuse: CLOSED,
    mayRepeat: FORGETS,
    async act({ chain }) {
      await chain.sidecar.kill();
      await chain.nginx.quit();
      await chain.nginx.start();
      await sleep(2_000);
      await chain.sidecar.start();
    },
  },
  {
    name: 'nginx upgraded',
    does: 'USR2 and, when the new nginx works, QUIT of the old one',
    transports: ['batch'],
    needs: ['upgrade'],
    mayRefuse: CLOSED,
    act: ({ chain }) => chain.nginx.upgrade(),
  },
  {
    name: 'nginx upgraded, sidecar down',
    does: 'kill -9 of the sidecar, USR2 and QUIT of the old nginx, the sidecar started again after 2 s',
    transports: ['batch'],
    needs: ['upgrade'],
    mayRefuse: CLOSED,
    mayRepeat: FORGETS,
    async act({ chain }) {
      await chain.sidecar.kill();
      await chain.nginx.upgrade();
      await sleep(2_000);
      await chain.sidecar.start();
    },
  },
  {
    name: 'Kafka stopped',
    does: 'Kafka stopped gracefully, started again after 3 s with its log',
    transports: ['batch'],
    async act({ kafka }) {
      await kafka.stop();
      await sleep(3_000);
      await kafka.start();
    },
  },
  {
    name: 'Kafka killed',
    does: 'kill -9 of Kafka, started again at once with its log',
    transports: ['subrequest'],
    async act({ kafka }) {
      await kafka.kill();
      await kafka.start();
    },
  },
  {
    name: 'Kafka frozen',
    does: 'SIGSTOP of Kafka for 5 s: connections stay open and nothing answers',
    transports: ['batch'],
    async act({ kafka }) {
      await kafka.pause();
      await sleep(5_000);
      await kafka.resume();
    },
  },
  {
    name: 'strange batches',
    does: 'batches of another producer in every codec; a bit of a batch on the disk of Kafka flipped before the sink reads it',
    transports: ['batch'],
    async act(stage) {
      await writeForeign(stage);
      await damageOne(stage);
    },
  },
  {
    name: 'depth bomb',
    does: "records that are nested 20,000 deep, events and messages in the article's format, between the views",
    transports: ['batch'],
    act: writePits,
  },
  {
    name: 'gzip bomb',
    does: 'batches of 15 and 100 KB that unpack to 15 and 100 MB, between the views of three partitions',
    transports: ['batch'],
    act: writeBombs,
  },
  {
    name: 'Elasticsearch stopped',
    does: 'Elasticsearch stopped gracefully, started again with its data',
    transports: ['batch'],
    async act({ elasticsearch }) {
      await elasticsearch.stop();
      await elasticsearch.start();
    },
  },
  {
    name: 'Elasticsearch killed',
    does: 'kill -9 of Elasticsearch, started again with its data',
    transports: ['subrequest'],
    async act({ elasticsearch }) {
      await elasticsearch.kill();
      await elasticsearch.start();
    },
  },
  {
    name: 'everything after nginx killed',
    does: 'kill -9 of sidecar, sink, Kafka and Elasticsearch at once, started again',
    transports: ['subrequest'],
    seconds: 20,
    mayRepeat: FORGETS,
    async act({ chain, kafka, elasticsearch }) {
      const parts = [chain.sidecar, chain.sink, kafka, elasticsearch];
      await Promise.all(parts.map((part) => part?.kill()));
      await Promise.all(parts.map((part) => part?.start()));
    },
  },
  {
    name: 'disk of the spool full',
    does: 'another program fills the disk of the spool to the last byte, freed after 4 s',
    transports: ['subrequest', 'batch'],
    short: 7,
    needs: ['small spool disk'],
    async act({ disk }) {
      await disk.fill();
      await sleep(4_000);
      await disk.free();
    },
  },
  {
    name: 'sidecar killed on a full disk',
    does: 'the disk of the spool filled, kill -9 of the sidecar, freed, the sidecar started again',
    transports: BOTH,
    needs: ['small spool disk'],
    mayRepeat: FORGETS,
    async act({ chain, disk }) {
      await disk.fill();
      await sleep(1_500);
      await chain.sidecar.kill();
      await disk.free();
      await chain.sidecar.start();
    },
  },
  {
    name: 'disk of the spill full',
    does: 'kill -9 of the sidecar while the disk of the spill is full, freed after 3 s, the sidecar started again',
    transports: BOTH,
    needs: ['small spill disk'],
    mayLose: {
      why: 'neither a sidecar nor space for a spill: nginx cannot store a view; after a full disk nginx does not try the log for a second',
      withinMs: 1_500,
    },
    mayRepeat: FORGETS,
    async act({ chain, disk, losing }) {
      await losing(async () => {
        await disk.fill();
        await chain.sidecar.kill();
        await sleep(3_000);
        await disk.free();
      });
      await sleep(2_500);
      await chain.sidecar.start();
    },
  },
  {
    name: 'hostile spill folder',
    does: "nginx's user puts links, pipes, folders, files with holes and a thousand others into the spill folder while SIGSTOP of the sidecar makes nginx spill, and a full that is a link, then a pipe",
    transports: BOTH,
    needs: ['another user'],
    async act({ chain }) {
      const spill = join(chain.home, 'spill');
      letIn(spill);
      chain.sidecar.pause();
      attack(
        spill,
        `${EVERYTHING_ODD}\nfor segment in ../spool/*.log; do ln -s "$segment" full; break; done`,
      );
      await sleep(1_000);
      chain.sidecar.resume();
      await sleep(1_000);
      chain.sidecar.pause();
      attack(spill, 'rm -f full; mkfifo full');
      await sleep(1_000);
      chain.sidecar.resume();
    },
  },
  {
    name: 'clock steps',
    does: 'the clock of nginx, sidecar and sink goes 150 s ahead, then half an hour behind, then right again',
    transports: BOTH,
    needs: ['clock'],
    async act({ clock }) {
      // Not further ahead: file times still follow the host's clock, and a file that seems to be three minutes old counts as complete.
      for (const seconds of [150, -1_800, 0]) {
        clock.step(seconds);
        await sleep(2_500);
      }
    },
  },
  {
    name: 'clock set back in an outage',
    does: 'SIGSTOP of the sidecar; 3 s later the clock of nginx, sidecar and sink goes half an hour back; 2 s later the sidecar continues',
    transports: BOTH,
    needs: ['clock'],
    async act({ chain, clock }) {
      chain.sidecar.pause();
      await sleep(3_000);
      clock.step(-1_800);
      await sleep(2_000);
      chain.sidecar.resume();
    },
  },
  {
    name: 'clock hours ahead',
    does: 'the clock of nginx, sidecar and sink goes 3 h ahead (Kafka rejects the time of such a message), then right again',
    transports: ['batch'],
    needs: ['clock'],
    async act({ clock }) {
      clock.step(3 * 3_600);
      await sleep(4_000);
      clock.step(0);
    },
  },
  ...CLIENTS.map(
    (client): Scenario => ({
      name: `brokers restarted in turn (${client})`,
      does: 'SIGTERM of each of three brokers in turn, started again after 20 s, the next one when all replicas are in sync',
      transports: ['batch'],
      needs: ['three brokers'],
      client,
      seconds: 150,
      async act({ kafka, topic }) {
        for (const node of kafka.nodes) {
          await node.stop();
          await sleep(20_000);
          await node.start();
          await inSync(kafka.brokers, topic);
        }
      },
    }),
  ),
  ...CLIENTS.map(
    (client): Scenario => ({
      name: `permissions revoked and granted again (${client})`,
      does: 'Write on the topic, then Read on the group denied by an ACL, each granted again after 6 s',
      transports: ['batch'],
      needs: ['login'],
      client,
      seconds: 40,
      async act({ deny }) {
        for (const permission of LOST) {
          const giveBack = await deny(permission);
          await sleep(6_000);
          await giveBack();
          await sleep(3_000);
        }
      },
    }),
  ),
];

async function inSync(brokers: string[], topic: string): Promise<void> {
  const isWhole = () =>
    withAdmin({ brokers }, async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      const partitions = topics.flatMap((one) => one.partitions);
      return partitions.every(({ isr, replicas }) => isr.length === replicas.length);
    }).catch(() => false);
  await until(isWhole, { timeoutMs: 60_000, everyMs: 500, what: 'all replicas to be in sync' });
}
