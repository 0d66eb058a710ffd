import { wayOf } from '../../app/parts.ts';
import { catalogueReport } from '../../app/rules/catalogue-rules.ts';
import { configFindings } from '../../app/rules/config-findings.ts';
import type { Config } from '../../service/config/config.ts';
import { plainText } from '../../service/plain-text.ts';
import { judge } from '../../service/verdict.ts';
import { findingsText, reportText } from '../check-report.ts';
import type { Command } from '../command.ts';
import { configure } from '../configure.ts';
import { JUDGE_OPTIONS, judgingOf } from '../judge-flags.ts';
import { nginxReport } from '../nginx-report.ts';
import { UsageError } from '../parse-command-line.ts';
import { createProgress } from '../progress.ts';
import { print, printJson } from '../terminal.ts';

export const check: Command = {
  about:
    "finds errors in the configuration, and shows where events would go; with --nginx: finds errors in nginx's configuration",
  options: {
    nginx: { type: 'boolean', about: 'check nginx: --nginx [PROGRAM], as root; exits 0: nothing to change' },
    'nginx-conf': { type: 'string', placeholder: 'FILE', about: 'with --nginx: the nginx.conf to check' },
    ...JUDGE_OPTIONS,
  },
  configured: true,
  async run(context) {
    const { nginx, 'nginx-conf': conf, json, accept, strict, ...flags } = context.flags;
    const judging = judgingOf({ accept, strict });
    const config = configure({ ...context, flags });
    if (nginx !== true && (conf !== undefined || context.positionals.length > 0))
      throw new UsageError('check: PROGRAM and --nginx-conf need --nginx');
    if (nginx === true) {
      const report = await nginxReport({ ...context, flags: { conf } }, config);
      const verdict = judge(report.findings, judging);
      if (json === true) printJson({ ok: verdict.status === 0, ...report, ...withoutStatus(verdict) });
      else print(reportText(report, verdict));
      return verdict.status;
    }
    const progress = createProgress('reading the catalogue');
    const { findings, summary } = await catalogueReport(config, progress.show).finally(progress.end);
    const verdict = judge([...(await configFindings(config)), ...findings], judging);
    const route = routeOf(config);
    if (json === true)
      printJson({
        ok: verdict.status === 0,
        route,
        ...(summary !== '' && { catalogue: summary }),
        ...withoutStatus(verdict),
      });
    else
      print(
        `${route}\n${summary === '' ? '' : `${plainText(summary)}\n`}${notes(config)}${verdictText(verdict)}`,
      );
    return verdict.status;
  },
};

function withoutStatus({ findings, unused }: ReturnType<typeof judge>) {
  return { findings, unused };
}

function verdictText(verdict: ReturnType<typeof judge>): string {
  if (verdict.findings.length === 0 && verdict.unused.length === 0) return 'The configuration is valid.\n';
  return `\n${findingsText(verdict)}`;
}

function notes({ ignored }: Config): string {
  return ignored.length === 0
    ? ''
    : `Ignored, because Kubernetes sets them for a Service: ${ignored.join(', ')}\n`;
}

function routeOf(config: Config): string {
  return ['nginx', config.intake.socket, ...wayOf(config)].join(' → ');
}
