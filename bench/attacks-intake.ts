import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ANOTHER_USER, askAsAnother, CAN_BE_ANOTHER } from '../test/parts/attacker.ts';
import { temporaryFolder } from '../test/parts/guard.ts';
import { freePorts } from '../test/parts/ports.ts';
import { startService } from '../test/parts/service.ts';
import type { BenchOptions } from './bench.ts';
import { type Attacked, lineOf, meterOf, nameOf, watchResponsiveness } from './responsiveness.ts';

/** As the test of the rights on that socket runs them, each by itself. */
const ATTACKS = readFileSync(join(import.meta.dirname, '../test/integration/intake-attacks.mjs'), 'utf8');
/** Longer than a post may take. */
const SECONDS = 7;
const QUICK = { seconds: 1, attacks: 2 };

type Target = { name: string; kafka: boolean };

const TARGETS: Target[] = [
  { name: 'a sidecar that forwards, its intake socket attacked', kafka: true },
  { name: 'a sidecar with the embedded index, its intake socket attacked', kafka: false },
];

/** Attacks the socket of a sidecar as another user would, in each way by itself, each a fresh sidecar. */
export async function attackIntake({ report, quick, isWanted }: BenchOptions): Promise<Attacked[]> {
  const folder = temporaryFolder('attacks');
  chmodSync(folder.path, 0o755);
  const attacked: Attacked[] = [];
  try {
    for (const target of quick ? TARGETS.slice(0, 1) : TARGETS) {
      const all = await attacksOn(target, folder.path);
      const attacks = all.filter((attack) => isWanted(nameOf({ target: target.name, attack })));
      for (const attack of quick ? attacks.slice(0, QUICK.attacks) : attacks) {
        const one = await run(target, attack, {
          folder: folder.path,
          seconds: quick ? QUICK.seconds : SECONDS,
        });
        report(lineOf(one));
        attacked.push(one);
      }
    }
  } finally {
    folder.remove();
  }
  return attacked;
}

async function attacksOn(target: Target, folder: string): Promise<string[]> {
  const { sidecar, socket } = await start(target, join(folder, `${target.kafka}-list`));
  const { list } = await askAsAnother<{ list: string[] }>(ATTACKS, [socket, 'list', '0']);
  await sidecar.kill();
  return list;
}

async function run(
  target: Target,
  attack: string,
  { folder, seconds }: { folder: string; seconds: number },
): Promise<Attacked> {
  const { sidecar, socket, meter } = await start(
    target,
    join(folder, `${target.kafka}-${attack}`.replaceAll(' ', '-')),
  );
  try {
    const watched = await watchResponsiveness(sidecar, meter);
    await askAsAnother(ATTACKS, [socket, attack, String(seconds)]);
    return { target: target.name, attack, ...(await watched.stop()) };
  } finally {
    await sidecar.kill();
  }
}

async function start({ kafka }: Target, home: string) {
  mkdirSync(home);
  const [admin, nobody] = (await freePorts(2)).map((port) => `127.0.0.1:${port}`);
  if (admin === undefined || nobody === undefined) throw new Error('no ports are free');
  const meter = join(home, 'meter');
  const env = {
    HOTITEM_HOME: home,
    HOTITEM_ADMIN_LISTEN: admin,
    ...(kafka && { KAFKA_BROKERS: nobody }),
    ...(CAN_BE_ANOTHER && { HOTITEM_INTAKE_SOCKET_GROUP: String(ANOTHER_USER) }),
    ...meterOf(meter),
  };
  const sidecar = await startService({ args: ['sidecar'], env, admin, logFile: join(home, 'log') });
  return { sidecar, socket: join(home, 'run/intake.sock'), meter };
}
