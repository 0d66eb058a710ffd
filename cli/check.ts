import { resolve } from 'node:path';
import { systemNginx } from '../provision/nginx-inspect.ts';
import type { Config } from '../service/config.ts';
import { fileFindings } from './check/file-rules.ts';
import { findingsText, reportText } from './check/report.ts';
import { checkNginx } from './check-nginx.ts';
import type { Command, CommandContext } from './command.ts';
import { configure } from './configure.ts';
import { UsageError } from './parse-command-line.ts';
import { print, printJson } from './terminal.ts';
import { Trouble } from './trouble.ts';

export const check: Command = {
  about: 'says what is wrong with the configuration, and where events would go; with --nginx, of nginx',
  options: {
    nginx: { type: 'boolean', about: 'check nginx: --nginx [PROGRAM], as root; 0: nothing to change' },
    'nginx-conf': { type: 'string', placeholder: 'FILE', about: 'with --nginx: the nginx.conf to check' },
    json: { type: 'boolean', about: 'with --nginx: print JSON' },
  },
  configured: true,
  async run(context) {
    const { nginx, 'nginx-conf': conf, json, ...flags } = context.flags;
    const config = configure({ ...context, flags });
    if (nginx === true) return checkIt({ ...context, flags: { conf, json } }, config);
    if (conf !== undefined || json !== undefined || context.positionals.length > 0)
      throw new UsageError('check: PROGRAM, --nginx-conf and --json go with --nginx');
    const findings = fileFindings(config.files, process.getuid?.() ?? 0);
    const verdict = findings.length === 0 ? 'The configuration is good.\n' : `\n${findingsText(findings)}`;
    print(`${route(config)}\n${notes(config)}${verdict}`);
    return findings.length === 0 ? 0 : 1;
  },
};

/** Returns 0 where nothing is to be changed, 1 where there are errors or warnings. */
async function checkIt({ flags, positionals, env }: CommandContext, config: Config): Promise<number> {
  const program = positionals[0] ?? env.HOTITEM_NGINX ?? systemNginx(env);
  if (program === undefined) {
    throw new Trouble('nginx is not installed here', 'Name it: hotitem check --nginx /path/to/nginx');
  }
  const report = await checkNginx({
    command: [resolve(program)],
    ...(typeof flags.conf === 'string' && { conf: resolve(flags.conf) }),
    sidecar: { socket: config.intake.socket, spill: config.spill.dir },
  });
  if (flags.json === true) printJson(report);
  else print(reportText(report));
  return report.findings.some(({ severity }) => severity !== 'note') ? 1 : 0;
}

function notes({ ignored }: Config): string {
  return ignored.length === 0
    ? ''
    : `Ignored, as Kubernetes sets them for a Service: ${ignored.join(', ')}\n`;
}

function route({ kafka, elasticsearch, intake, duckdb }: Config): string {
  const index =
    elasticsearch.node === undefined ? `DuckDB ${duckdb.path}` : `Elasticsearch ${elasticsearch.node}`;
  const steps = kafka.brokers.length > 0 ? [`Kafka ${kafka.brokers.join(',')}`, 'sink', index] : [index];
  return ['nginx', intake.socket, ...steps].join(' → ');
}
