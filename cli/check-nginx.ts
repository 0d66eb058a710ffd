import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Njs, probeNjs } from '../provision/njs-probe.ts';
import type { Finding } from '../service/finding.ts';
import type { Build } from './check/build.ts';
import { type Capture, capturesOf } from './check/captures.ts';
import { engineFindings } from './check/engine-rules.ts';
import type { Facts } from './check/facts.ts';
import { includeFindings } from './check/include-rules.ts';
import { inheritedFindings } from './check/inherited-rules.ts';
import { installedFindings } from './check/installed-rules.ts';
import { locationFindings } from './check/location-rules.ts';
import { logFindings } from './check/log-rules.ts';
import { nginxFindings } from './check/nginx-rules.ts';
import { isJsModule, njsFindings } from './check/njs-rules.ts';
import { orderFindings } from './check/order-rules.ts';
import { pathFindings } from './check/path-rules.ts';
import { readNginx } from './check/read-nginx.ts';
import { createSite, type Site } from './check/site.ts';
import { takenFindings } from './check/taken-rules.ts';
import { type TestRequest, testRequests } from './check/test-request.ts';
import { upstreamFindings } from './check/upstream-rules.ts';
import { findWorker } from './check/worker.ts';
import { workerFindings } from './check/worker-rules.ts';
import type { IncludeSettings } from './nginx-includes.ts';

export type CheckNginxOptions = {
  /** The program and its first arguments. */
  command: string[];
  /** The configuration to check; the one that this nginx was built to read unless said. */
  conf?: string;
  /** Where the sidecar listens and looks for spilled lines, and what else the includes are written with. */
  sidecar: IncludeSettings;
};

export type NginxReport = {
  program: string;
  /** The version: `1.26.3`. */
  nginx: string;
  /** Undefined where it runs no njs. */
  njs: Njs | undefined;
  conf: string;
  captures: Omit<Capture, 'spot' | 'block'>[];
  /** How to ask it for a page that it captures. */
  tests: TestRequest[];
  findings: Finding[];
};

/**
 * Reads the version, the modules and the configuration of an nginx and says what to change. Starts nothing that stays and
 * changes nothing. Throws `Trouble` where there is no such nginx.
 */
export async function checkNginx({ command, conf, sidecar }: CheckNginxOptions): Promise<NginxReport> {
  const { asked, main, configuration, unreadable } = await readNginx(command, conf);
  const { build } = asked;
  const site = createSite(configuration);
  const [njs, worker] = await Promise.all([
    findNjs({ command, build, site }),
    findWorker(build, configuration),
  ]);
  const captures = capturesOf(site);
  const moduleFile = [join(build.modulesPath, 'ngx_http_js_module.so')].find((path) => existsSync(path));
  const facts: Facts = { build, site, captures, njs, moduleFile, worker, sidecar };

  const findings = unreadable ? [] : await findingsOf(facts);
  return {
    program: command.at(-1) ?? '',
    nginx: build.version,
    njs: 'reason' in njs ? undefined : njs,
    conf: main,
    captures: captures.map(({ spot, block, ...capture }) => capture),
    tests: testRequests(site, captures),
    findings: [...nginxFindings(asked, configuration), ...findings],
  };
}

async function findingsOf(facts: Facts): Promise<Finding[]> {
  const parts = await Promise.all([
    njsFindings(facts),
    includeFindings(facts),
    engineFindings(facts),
    locationFindings(facts),
    inheritedFindings(facts),
    takenFindings(facts),
    orderFindings(facts),
    workerFindings(facts),
    logFindings(facts),
    upstreamFindings(facts),
    pathFindings(facts),
    installedFindings(facts),
  ]);
  return unique(parts.flat());
}

type Probed = { command: string[]; build: Build; site: Site };

/** Asks the njs that the configuration loads, or that is compiled in. */
function findNjs({ command, build, site }: Probed): Promise<Njs | { reason: string }> {
  const named = site.spots.find(({ directive }) => isJsModule(directive))?.directive.args[0];
  return probeNjs({ command, module: named === undefined ? undefined : resolve(build.prefix, named) });
}

/** An include that stands in ten locations has its faults once. */
function unique(findings: Finding[]): Finding[] {
  const seen = new Map(
    findings.map((one) => [`${one.id} ${one.what} ${one.where?.file}:${one.where?.line}`, one]),
  );
  return [...seen.values()];
}
