import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Njs, probeNjs } from '../provision/njs-probe.ts';
import { askNginx } from './check/ask-nginx.ts';
import type { Build } from './check/build.ts';
import { type Capture, capturesOf } from './check/captures.ts';
import { dumpSource, readConfiguration, splitDump } from './check/configuration.ts';
import { diskSource } from './check/disk-source.ts';
import { engineFindings } from './check/engine-rules.ts';
import type { Facts } from './check/facts.ts';
import { type Finding, placeOf } from './check/finding.ts';
import { includeFindings } from './check/include-rules.ts';
import { inheritedFindings } from './check/inherited-rules.ts';
import { locationFindings } from './check/location-rules.ts';
import { logFindings } from './check/log-rules.ts';
import { nginxFindings } from './check/nginx-rules.ts';
import { isJsModule, njsFindings } from './check/njs-rules.ts';
import { orderFindings } from './check/order-rules.ts';
import { pathFindings } from './check/path-rules.ts';
import { createSite, type Site } from './check/site.ts';
import { takenFindings } from './check/taken-rules.ts';
import { madeFrom } from './check/template-rules.ts';
import { upstreamFindings } from './check/upstream-rules.ts';
import { findWorker } from './check/worker.ts';
import { workerFindings } from './check/worker-rules.ts';
import { nginxTemplate } from './nginx-install.ts';
import { installedVersion, signerOf } from './nginx-install-version.ts';
import { Trouble } from './trouble.ts';

export type CheckNginxOptions = {
  /** The program and its first arguments. */
  command: string[];
  /** The configuration to check; the one that this nginx was built to read unless said. */
  conf?: string;
  /** Where the sidecar listens and looks for spilled lines. */
  sidecar: { socket: string; spill: string };
};

export type NginxReport = {
  program: string;
  /** The version: `1.26.3`. */
  nginx: string;
  /** Undefined where it runs no njs. */
  njs: Njs | undefined;
  conf: string;
  captures: Omit<Capture, 'spot' | 'block'>[];
  findings: Finding[];
};

/**
 * Reads the version, the modules and the configuration of an nginx and says what to change. Starts nothing that stays and
 * changes nothing. Throws `Trouble` where there is no such nginx.
 */
export async function checkNginx({ command, conf, sidecar }: CheckNginxOptions): Promise<NginxReport> {
  const program = command.at(-1) ?? '';
  const asked = await askNginx(command, conf);
  if (asked === undefined) {
    throw new Trouble(`${program} is no nginx that runs`, 'Name it: hotitem check --nginx /usr/sbin/nginx');
  }
  const { build, dump } = asked;
  const files = dump === undefined ? undefined : splitDump(dump);
  const [main = conf ?? build.conf] = files?.keys() ?? [];
  const configuration = readConfiguration(main, files === undefined ? diskSource : dumpSource(files));
  const site = createSite(configuration);
  const [njs, worker] = await Promise.all([
    findNjs({ command, build, site }),
    findWorker(build, configuration),
  ]);
  const captures = capturesOf(site);
  const moduleFile = [join(build.modulesPath, 'ngx_http_js_module.so')].find((path) => existsSync(path));
  const facts: Facts = { build, site, captures, njs, moduleFile, worker, sidecar };

  // A configuration that cannot be read at all is not one that captures nothing.
  const unreadable = dump === undefined && diskSource.read(main) === undefined;
  const findings = unreadable ? [] : await findingsOf(facts);
  return {
    program,
    nginx: build.version,
    njs: 'reason' in njs ? undefined : njs,
    conf: main,
    captures: captures.map(({ spot, block, ...capture }) => capture),
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
    differing(facts.site),
  ]);
  return unique(parts.flat());
}

type Probed = { command: string[]; build: Build; site: Site };

/** Asks the njs that the configuration loads, or that is compiled in. */
function findNjs({ command, build, site }: Probed): Promise<Njs | { reason: string }> {
  const named = site.spots.find(({ directive }) => isJsModule(directive))?.directive.args[0];
  return probeNjs({ command, module: named === undefined ? undefined : resolve(build.prefix, named) });
}

async function differing({ ours }: Site): Promise<Finding[]> {
  const files = new Map(ours.filter(({ include }) => !include.yours).map((one) => [one.file.path, one]));
  const version = await installedVersion();
  const found = await Promise.all(
    [...files.values()].map(async ({ name, file, directive }): Promise<Finding[]> => {
      const template = await nginxTemplate(name).catch(() => undefined);
      if (template === undefined || madeFrom(template, file.text)) return [];
      return [
        {
          id: 'include-differs',
          severity: 'note',
          where: placeOf(directive),
          fix: 'hotitem nginx install writes that of this version; edits of yours are lost',
          ...difference({ name, version, signer: signerOf(file.comments) }),
        },
      ];
    }),
  );
  return found.flat();
}

type Signed = { name: string; version: string; signer: string | undefined };

function difference({ name, version, signer }: Signed): Pick<Finding, 'what' | 'why'> {
  const what = `${name} is not the one of hotitem ${version}`;
  if (signer === undefined) return { what, why: 'it does not say who wrote it: it is older, or was edited' };
  if (signer === version) return { what, why: 'it was edited since hotitem of this version wrote it' };
  return { what: `${name} is of hotitem ${signer}, this is ${version}`, why: 'another version wrote it' };
}

/** An include that stands in ten locations has its faults once. */
function unique(findings: Finding[]): Finding[] {
  const seen = new Map(
    findings.map((one) => [`${one.id} ${one.what} ${one.where?.file}:${one.where?.line}`, one]),
  );
  return [...seen.values()];
}
