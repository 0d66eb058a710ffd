import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Finding } from '../../service/finding.ts';
import { readNginx } from '../conf/read-nginx.ts';
import { createSite, type Site } from '../conf/site.ts';
import { findWorker } from '../conf/worker.ts';
import type { IncludeSettings } from '../includes.ts';
import type { Build } from '../program/build.ts';
import { type Njs, probeNjs } from '../program/njs-probe.ts';
import { cachePathFindings } from './cache-path-rules.ts';
import { type Capture, capturesOf } from './captures.ts';
import { engineFindings } from './engine-rules.ts';
import type { Facts } from './facts.ts';
import { hotPathFindings } from './hot-path-rules.ts';
import { hotFindings } from './hot-rules.ts';
import { includeFindings } from './include-rules.ts';
import { inheritedFindings } from './inherited-rules.ts';
import { installedFindings } from './installed-rules.ts';
import { keeperPathFindings } from './keeper-path-rules.ts';
import { locationFindings } from './location-rules.ts';
import { logFindings } from './log-rules.ts';
import { includeFolder } from './mend.ts';
import { nginxFindings } from './nginx-rules.ts';
import { isJsModule, njsFindings } from './njs-rules.ts';
import { orderFindings } from './order-rules.ts';
import { pathFindings } from './path-rules.ts';
import { protectFindings } from './protect-rules.ts';
import { takenFindings } from './taken-rules.ts';
import { type TestRequest, testRequests } from './test-request.ts';
import { upstreamFindings } from './upstream-rules.ts';
import { workerFindings } from './worker-rules.ts';

export type CheckNginxOptions = {
  /** The program and its first arguments. */
  command: string[];
  /** The configuration to check. Default: the one that this nginx was built to read. */
  conf?: string;
  /** The settings that the includes are written with, such as the sidecar's socket and spill folder. */
  sidecar: IncludeSettings;
};

export type NginxReport = {
  program: string;
  /** The version: `1.26.3`. */
  nginx: string;
  /** Undefined if njs is not loaded. */
  njs: Njs | undefined;
  conf: string;
  /** The folder of our includes, if the configuration includes any. */
  includes: string | undefined;
  captures: Omit<Capture, 'spot' | 'block'>[];
  /** How to request a page that it captures. */
  tests: TestRequest[];
  findings: Finding[];
};

/**
 * Reads the version, the modules and the configuration of an nginx and says what to change. Changes nothing, and leaves no process
 * running. Throws `Trouble` if there is no such nginx.
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
    includes: includeFolder(site),
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
    hotFindings(facts),
    hotPathFindings(facts),
    protectFindings(facts),
    cachePathFindings(facts),
    keeperPathFindings(facts),
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

/** An include that is used in ten locations is reported once. */
function unique(findings: Finding[]): Finding[] {
  const seen = new Map(
    findings.map((one) => [`${one.id} ${one.what} ${one.where?.file}:${one.where?.line}`, one]),
  );
  return [...seen.values()];
}
