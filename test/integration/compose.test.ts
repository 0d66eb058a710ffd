import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { installNginx } from '../../nginx-setup/install.ts';
import { type NginxBuild, obtainNginx } from '../../provision/nginx.ts';
import { loadConfig } from '../../service/config/config.ts';
import { run } from '../../service/run.ts';
import { testAsRoot } from '../parts/as-root.ts';
import { ANOTHER_USER, asUser } from '../parts/attacker.ts';
import { temporaryFolder } from '../parts/guard.ts';
import { temporaryPaths } from '../parts/nginx-conf.ts';
import { freePorts } from '../parts/ports.ts';
import { startProcess, tailOf } from '../parts/process.ts';
import { record } from '../parts/record.ts';
import { report } from '../parts/report.ts';
import { until } from '../parts/until.ts';
import { obtainCompose } from '../provision/compose.ts';
import { ELASTICSEARCH, KAFKA } from '../provision/versions.ts';

type Service = {
  image?: string;
  build?: { dockerfile: string; target: string; args: Record<string, string> };
  user?: string;
  read_only?: boolean;
  cap_add?: string[];
  cap_drop?: string[];
  privileged?: boolean;
  security_opt?: string[];
  pids_limit?: number;
  tmpfs?: string[];
  volumes?: string[];
  command?: string[];
  environment?: Record<string, string | number>;
  ports?: string[];
  healthcheck?: { test: string[] };
  restart?: string;
  mem_limit?: string;
};

const ROOT = join(import.meta.dirname, '../..');
const OBTAINED_MS = 180_000;

/** The file as it is if no variable is set. */
const composed = read('docker-compose.yml').replace(/\$\{\w+:-([^}]+)\}/g, '$1');
const compose = parse(composed, { merge: true }) as { services: Record<string, Service> };
const services = Object.entries(compose.services);
const dockerfile = read('deploy/Dockerfile');
const folder = temporaryFolder('compose');

afterAll(() => folder.remove());

describe('docker-compose.yml', () => {
  test(
    'is valid to Docker Compose',
    async () => {
      const [command = '', ...args] = await obtainCompose({ report });
      const { stdout } = await run(command, [...args, 'version', '--short']);
      record(`Docker Compose ${stdout.trim()}, config only`);
      const file = join(ROOT, 'docker-compose.yml');
      const checked = await run(command, [...args, '--file', file, 'config', '--format', 'json']);
      expect(checked).toMatchObject({ code: 0, stderr: '' });
      const resolved = JSON.parse(checked.stdout) as typeof compose;
      expect(Object.keys(resolved.services).sort()).toEqual(services.map(([name]) => name).sort());
    },
    OBTAINED_MS,
  );

  test('runs the versions that the tests run', () => {
    expect(Object.keys(KAFKA)).toContain(compose.services.kafka?.image?.split(':')[1]);
    expect(compose.services.elasticsearch?.image).toBe(`elasticsearch:${ELASTICSEARCH.version}`);
    expect(compose.services.kibana?.image).toBe(`kibana:${ELASTICSEARCH.version}`);
  });

  test('names its ports in .env.example', () => {
    const asked = [...read('docker-compose.yml').matchAll(/\$\{(\w+):-(\d+)\}/g)].map(
      ([, name, value]) => `${name}=${value}`,
    );
    const offered = read('.env.example').match(/^\w+=.*$/gm);
    expect(offered?.sort()).toEqual(asked.sort());
  });

  test.each(services.flatMap(([name, { ports = [] }]) => ports.map((port) => [name, port])))(
    'publishes %s at %s on loopback only',
    (_, port) => {
      expect(port).toMatch(/^127\.0\.0\.1:/);
    },
  );

  describe.each(services)('the service %s', (_, service) => {
    test('is pinned to an exact version', () => {
      expect(service.image).toMatch(/^[\w/-]+:\d+\.\d+\.\d+$/);
      if (service.build === undefined) return;
      expect(service.build.dockerfile).toBe('deploy/Dockerfile');
      expect(dockerfile).toMatch(new RegExp(`^FROM .* AS ${service.build.target}$`, 'm'));
      expect(service.image).toMatch(new RegExp(`:${version()}$`));
    });

    test('has a health check, unless it runs once', () => {
      const runsOnce = service.restart === 'no';
      expect(service.healthcheck === undefined).toBe(runsOnce);
    });

    test('has limits for memory and processes', () => {
      expect(service.mem_limit).toMatch(/^\d+[mg]$/);
      expect(service.pids_limit).toBeGreaterThan(0);
    });

    test('has no capability, cannot gain one, and has no access to the host', () => {
      expect(service.cap_drop).toEqual(['ALL']);
      expect(service.cap_add).toBeUndefined();
      expect(service.privileged).toBeUndefined();
      expect(service.security_opt).toEqual(['no-new-privileges:true']);
      for (const volume of service.volumes ?? []) expect(volume).toMatch(/^[a-z]+:/);
    });

    test('of ours, writes only to its volumes and to memory, and not as root', () => {
      if (service.build === undefined) return;
      expect(service.read_only).toBe(true);
      expect(service.tmpfs).not.toEqual([]);
      const stage = dockerfile.split(`AS ${service.build.target}\n`)[1]?.split(/^FROM /m)[0];
      expect(stage).toMatch(/^USER [1-9]\d*:\d+$/m);
      expect(service.user ?? '1').not.toMatch(/^(0|root)/);
    });
  });

  test.each(services.filter(([, { build }]) => build?.target === 'hotitem'))(
    'configures %s without a problem',
    (_, { environment }) => {
      const env = Object.fromEntries(
        Object.entries(environment ?? {}).map(([name, value]) => [name, String(value)]),
      );
      const config = loadConfig({ env, flags: {} });
      expect(config.kafka.brokers).toEqual(['kafka:9092']);
      expect(config.elasticsearch.node).toBe('http://elasticsearch:9200');
    },
  );
});

describe('deploy/Dockerfile', () => {
  test('starts from exact versions, or from its own stages', () => {
    const bases = Object.fromEntries(
      [...dockerfile.matchAll(/^ARG (\w+)=(\S+)$/gm)].map(([, name, base]) => [name, base]),
    );
    expect(compose.services.nginx?.build?.args).toEqual(bases);
    expect(compose.services.sidecar?.build?.args).toEqual(bases);
    const text = dockerfile.replace(/\$\{(\w+)\}/g, (_, name: string) => bases[name] ?? name);
    const stages = [...text.matchAll(/^FROM (\S+) AS (\S+)$/gm)];
    expect(stages).toHaveLength(dockerfile.match(/^FROM /gm)?.length ?? 0);
    const own = new Set(stages.map(([, , name]) => name));
    const foreign = stages.map(([, base = '']) => base).filter((base) => !own.has(base));
    expect(foreign).not.toHaveLength(0);
    for (const base of foreign) expect(base).toMatch(/^(node|nginx):\d+\.\d+\.\d+-[\w-]+$/);
  });

  test('gives nginx the folders that the sidecar is configured with', () => {
    const environment = compose.services.sidecar?.environment;
    const folders = ['HOTITEM_INTAKE_SOCKET', 'HOTITEM_SPILL_DIR'].map(
      (name) => `${name}=${environment?.[name]}`,
    );
    for (const setting of folders) expect(dockerfile).toContain(setting);
  });
});

describe('deploy/nginx.conf', () => {
  test(
    'is valid to nginx with the includes that the image holds',
    async () => {
      const nginx = await obtainNginx({ suite: 'trixie', report });
      record(`nginx ${nginx.version} with njs ${nginx.njs}, deploy/nginx.conf`);
      const { conf } = await relocated(nginx.modules.js ?? '');
      const [program = '', ...args] = commandOf(nginx, conf);
      expect(await run(program, [...args, '-t', '-q'])).toMatchObject({ code: 0, stderr: '' });
    },
    OBTAINED_MS,
  );

  testAsRoot(
    'serves pages as a user who may change nothing of the system, master and workers',
    async () => {
      const nginx = await obtainNginx({ suite: 'trixie', report });
      const { conf, port } = await relocated(nginx.modules.js ?? '');
      const owned = readdirSync(folder.path, { recursive: true }) as string[];
      for (const name of ['', ...owned]) chownSync(join(folder.path, name), ANOTHER_USER, ANOTHER_USER);
      // The one capability is for this machine alone: the tree of nginx may lie in a home that nobody else may enter.
      const only = '-all,+dac_read_search';
      const locks = [
        `--bounding-set=${only}`,
        `--inh-caps=${only}`,
        `--ambient-caps=${only}`,
        '--no-new-privs',
      ];
      const logFile = join(folder.path, 'nginx.log');
      const running = startProcess({
        name: 'nginx of the image',
        command: [...asUser(), ...locks, ...commandOf(nginx, conf), '-g', 'daemon off;'],
        logFile,
      });
      try {
        const isUp = () =>
          fetch(`http://127.0.0.1:${port}/healthz`).then(
            ({ status }) => status === 204,
            () => false,
          );
        await until(isUp, { timeoutMs: 60_000, what: 'nginx to serve', detail: () => tailOf(logFile) });
        expect(tailOf(logFile)).toBe('');
      } finally {
        await running.stop();
      }
    },
    OBTAINED_MS,
  );
});

function commandOf(nginx: NginxBuild, conf: string): string[] {
  return [...nginx.command, '-p', folder.path, '-c', conf, '-e', join(folder.path, 'error.log')];
}

/** deploy/nginx.conf for this machine: every path of the image under our folder, other ports, the user that we are. */
async function relocated(jsModule: string): Promise<{ conf: string; port: number }> {
  const dir = join(folder.path, 'hotitem');
  const [port = 0, breakerPort = 0] = await freePorts(2);
  const breaker = `127.0.0.1:${breakerPort}`;
  mkdirSync(join(folder.path, 'spill'), { recursive: true });
  await installNginx({ dir, socket: join(folder.path, 'sock'), spill: join(folder.path, 'spill'), breaker });
  const text = read('deploy/nginx.conf')
    .replace('modules/ngx_http_js_module.so', jsModule)
    .replace('pid /tmp/nginx.pid;', `pid ${folder.path}/nginx.pid;`)
    .replace('/var/log/nginx/error.log', join(folder.path, 'error.log'))
    .replace('include /etc/nginx/mime.types;', temporaryPaths(folder.path))
    .replace('listen 8080;', `listen 127.0.0.1:${port};`)
    .replaceAll('/etc/nginx/hotitem', dir);
  expect(text).not.toContain('/etc/');
  const conf = join(folder.path, 'nginx.conf');
  writeFileSync(conf, text);
  return { conf, port };
}

function version(): string {
  return (JSON.parse(read('package.json')) as { version: string }).version;
}

function read(name: string): string {
  return readFileSync(join(ROOT, name), 'utf8');
}
