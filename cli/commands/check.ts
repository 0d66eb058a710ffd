import { resolve } from 'node:path';
import { wayOf } from '../../app/parts.ts';
import { fileFindings } from '../../app/rules/file-rules.ts';
import { homeFindings } from '../../app/rules/home-rules.ts';
import { stateFindings } from '../../app/rules/state-rules.ts';
import { checkNginx, type NginxReport } from '../../nginx-setup/check/check-nginx.ts';
import { includeSettings } from '../../nginx-setup/includes.ts';
import { nginxProgram } from '../../nginx-setup/program/program.ts';
import { runningNginx } from '../../nginx-setup/program/running-nginx.ts';
import type { Config } from '../../service/config/config.ts';
import type { Finding } from '../../service/finding.ts';
import { Trouble } from '../../service/trouble.ts';
import { judge } from '../../service/verdict.ts';
import { findingsText, reportText } from '../check-report.ts';
import type { Command, CommandContext } from '../command.ts';
import { configure } from '../configure.ts';
import { JUDGE_OPTIONS, judgingOf } from '../judge-flags.ts';
import { UsageError } from '../parse-command-line.ts';
import { print, printJson } from '../terminal.ts';

export const check: Command = {
  about: 'says what is wrong with the configuration, and where events would go; with --nginx, of nginx',
  options: {
    nginx: { type: 'boolean', about: 'check nginx: --nginx [PROGRAM], as root; 0: nothing to change' },
    'nginx-conf': { type: 'string', placeholder: 'FILE', about: 'with --nginx: the nginx.conf to check' },
    ...JUDGE_OPTIONS,
  },
  configured: true,
  async run(context) {
    const { nginx, 'nginx-conf': conf, json, accept, strict, ...flags } = context.flags;
    const judging = judgingOf({ accept, strict });
    const config = configure({ ...context, flags });
    if (nginx !== true && (conf !== undefined || context.positionals.length > 0))
      throw new UsageError('check: PROGRAM and --nginx-conf go with --nginx');
    if (nginx === true) {
      const report = await nginxReport({ ...context, flags: { conf } }, config);
      const verdict = judge(report.findings, judging);
      if (json === true) printJson({ ok: verdict.status === 0, ...report, ...withoutStatus(verdict) });
      else print(reportText(report, verdict));
      return verdict.status;
    }
    const verdict = judge(configFindings(config), judging);
    const route = routeOf(config);
    if (json === true) printJson({ ok: verdict.status === 0, route, ...withoutStatus(verdict) });
    else print(`${route}\n${notes(config)}${verdictText(verdict)}`);
    return verdict.status;
  },
};

/** What is wrong with a configuration that can be read: with its files and whom they let in. */
export function configFindings(config: Config): Finding[] {
  return [
    ...fileFindings(config.files, process.getuid?.() ?? 0),
    ...homeFindings(config),
    ...stateFindings(config),
  ];
}

/** Checks the nginx that is named, or the one of this host. Throws `Trouble` where there is none. */
export async function nginxReport(
  { flags, positionals, env }: CommandContext,
  config: Config,
): Promise<NginxReport> {
  const program = nginxProgram(env, positionals[0]);
  if (program === undefined) {
    throw new Trouble('nginx is not installed here', 'Name it: hotitem check --nginx /path/to/nginx');
  }
  const conf = typeof flags.conf === 'string' ? resolve(flags.conf) : await confOf(program);
  return checkNginx({
    command: [program],
    ...(conf !== undefined && { conf }),
    sidecar: includeSettings(config),
  });
}

/** The configuration that the nginx of this program runs with, where it was told another than it was built to read. */
async function confOf(program: string): Promise<string | undefined> {
  const path = resolve(program);
  const running = (await runningNginx()).filter((one) => one.program === path || one.program === program);
  const confs = new Set(running.map(({ conf }) => conf));
  return confs.size === 1 ? [...confs][0] : undefined;
}

function withoutStatus({ findings, unused }: ReturnType<typeof judge>) {
  return { findings, unused };
}

function verdictText(verdict: ReturnType<typeof judge>): string {
  if (verdict.findings.length === 0 && verdict.unused.length === 0) return 'The configuration is good.\n';
  return `\n${findingsText(verdict)}`;
}

function notes({ ignored }: Config): string {
  return ignored.length === 0
    ? ''
    : `Ignored, as Kubernetes sets them for a Service: ${ignored.join(', ')}\n`;
}

function routeOf(config: Config): string {
  return ['nginx', config.intake.socket, ...wayOf(config)].join(' → ');
}
