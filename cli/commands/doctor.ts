import { createCore } from '../../app/core.ts';
import { serviceAddresses } from '../../app/parts.ts';
import { configFindings } from '../../app/rules/config-findings.ts';
import { certificateFindings } from '../../doctor/certificate-rules.ts';
import { clockFindings } from '../../doctor/clock-rules.ts';
import { folderFindings } from '../../doctor/folder-rules.ts';
import { FOLLOW_MS, type Followed, followTestView } from '../../doctor/follow-test-view.ts';
import { killedFindings } from '../../doctor/killed-rules.ts';
import { mergeFindings } from '../../doctor/merge-findings.ts';
import { portFindings } from '../../doctor/port-rules.ts';
import { ANSWER_MS, sendTestView, toTestRequest } from '../../doctor/send-test-view.ts';
import { findServiceUser, type ServiceUser } from '../../doctor/service-user.ts';
import type { NginxReport } from '../../nginx-setup/check/check-nginx.ts';
import { type RunningNginx, runningNginx } from '../../nginx-setup/program/running-nginx.ts';
import { type Config, ConfigError } from '../../service/config/config.ts';
import type { Finding } from '../../service/finding.ts';
import { switchUser } from '../../service/switch-user.ts';
import { Trouble } from '../../service/trouble.ts';
import { judge } from '../../service/verdict.ts';
import { askService } from '../../status/ask-service.ts';
import type { StatusFacts } from '../../status/facts.ts';
import { gather } from '../../status/gather.ts';
import { verdictOf } from '../../status/status-verdict.ts';
import { findingsText } from '../check-report.ts';
import type { Command, CommandContext } from '../command.ts';
import { configure } from '../configure.ts';
import { JUDGE_OPTIONS, judgingOf } from '../judge-flags.ts';
import { nginxReport } from '../nginx-report.ts';
import { UsageError } from '../parse-command-line.ts';
import { showWait } from '../progress.ts';
import { print, printJson } from '../terminal.ts';

const DAY_MS = 86_400_000;

export const doctor: Command = {
  about:
    'runs check, check --nginx, status and a test view through every part; prints faults and the commands that fix them',
  options: {
    nginx: { type: 'boolean', about: 'which nginx to check: --nginx PROGRAM (that of the PATH)' },
    'nginx-conf': { type: 'string', placeholder: 'FILE', about: 'the nginx.conf to check' },
    url: {
      type: 'string',
      placeholder: 'URL',
      about: 'the item page to request, if it cannot be derived from the configuration',
    },
    'no-view': { type: 'boolean', about: 'send no test view' },
    ...JUDGE_OPTIONS,
  },
  configured: true,
  async run(context) {
    const {
      nginx: _,
      'nginx-conf': conf,
      url,
      'no-view': noView,
      json,
      accept,
      strict,
      ...flags
    } = context.flags;
    const judging = judgingOf({ accept, strict });
    const page = typeof url === 'string' ? toTestRequest(url) : undefined;
    if (url !== undefined && page === undefined)
      throw new UsageError(`--url: must be an http or https address (got ${JSON.stringify(url)})`);
    const own = { ...context, flags };
    const config = configure(own);

    // While it is root: only root can read nginx's certificates and the journal, and see which process has a port.
    const addresses = serviceAddresses(config);
    const looking = Promise.all([
      reportOn({ ...context, flags: { conf } }, config),
      runningNginx(),
      portFindings(addresses),
      killedFindings(addresses),
    ]);
    const [nginx, running, ports, killed] = await showWait('checking nginx', looking);
    const { user, notes } = await becomeServiceUser(config);

    const found = await findingsAs(user, own);
    const gathered = gather(createCore(config), Date.now() - DAY_MS);
    const facts = withIncludes(nginx?.includes, await showWait('asking the services', gathered));
    const verdict = verdictOf(facts);
    const request = page ?? nginx?.tests[0];
    const view =
      noView === true
        ? { text: 'not sent (--no-view)', findings: [] }
        : await showWait(
            'following a test view through nginx to the index',
            testView({ config, request, facts, isDelivered: verdict.isDelivered }),
            { atMostMs: ANSWER_MS + FOLLOW_MS },
          );
    const files = [...(nginx?.findings ?? []), ...found];
    const judged = judge(
      mergeFindings(files, [
        ...unchecked(nginx, running),
        ...ports,
        ...killed,
        ...notes,
        ...verdict.findings,
        ...view.findings,
      ]),
      judging,
    );
    const status = judged.status === 0 ? 0 : verdict.status === 3 ? 3 : 1;
    if (json === true) {
      const { findings, unused } = judged;
      const shown = {
        user,
        nginx: nginx && withoutFindings(nginx),
        verdict: verdict.line,
        testView: view.text,
      };
      printJson({ ok: status === 0, ...shown, findings, unused });
    } else {
      const lines = [heading(user, nginx), `verdict    ${verdict.line}`, `test view  ${view.text}`];
      print(`${lines.join('\n')}\n\n${findingsText(judged)}`);
    }
    return status;
  },
};

/**
 * An nginx that runs and was not checked. It is not run to ask it: any user may give a process that title, and this is root, perhaps.
 */
function unchecked(checked: NginxReport | undefined, running: RunningNginx[]): Finding[] {
  const [first] = running;
  if (checked !== undefined || first === undefined) return [];
  return [
    {
      id: 'nginx-not-checked',
      severity: 'warning',
      what: `an nginx runs here, process ${first.pid}, and was not checked: none is installed on the PATH`,
      why: 'whether it can reach the sidecar and the spill folder is not known',
      fix: 'name its program: hotitem doctor --nginx PROGRAM',
    },
  ];
}

/** Undefined if none was named and none is on the PATH. */
async function reportOn(context: CommandContext, config: Config): Promise<NginxReport | undefined> {
  try {
    return await nginxReport(context, config);
  } catch (error) {
    if (error instanceof Trouble && context.positionals.length === 0) return undefined;
    throw error;
  }
}

/** Continues as the user of the service, if this is root and the service is not; `notes` says where that was not possible. */
async function becomeServiceUser({ admin, home }: Config): Promise<{ user: ServiceUser; notes: Finding[] }> {
  const uid = process.getuid?.() ?? 0;
  const self = {
    name: 'that runs this',
    uid,
    gid: process.getgid?.() ?? 0,
    groups: process.getgroups?.() ?? [],
    by: '',
  };
  if (uid !== 0) return { user: self, notes: [] };
  const sidecar = await askService(admin.listen, 'admin.listen');
  const pid = 'accounts' in sidecar ? sidecar.accounts.about?.pid : undefined;
  const user = await findServiceUser(pid, home);
  const root = { ...self, name: 'root', by: user?.by ?? '' };
  if (user === undefined || user.uid === 0) return { user: root, notes: [] };
  try {
    switchUser(user, 'hotitem doctor');
    return { user, notes: [] };
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    return { user: { ...root, by: '' }, notes: [notAsService(user, error)] };
  }
}

function notAsService({ name }: ServiceUser, { message, hint }: Trouble): Finding {
  return {
    id: 'not-as-service-user',
    severity: 'note',
    what: `files and folders were checked as root, not as the user ${name}: ${message}`,
    why: 'root may read and write what the service may not',
    fix: 'run the command below as well: it sees what the service sees',
    ...(hint !== undefined && { command: hint }),
  };
}

/** What this user can access of the configuration and the files that it names. */
async function findingsAs(user: ServiceUser, context: CommandContext): Promise<Finding[]> {
  try {
    const config = configure(context);
    const parts = await Promise.all([
      configFindings(config),
      certificateFindings(config, user, Date.now()),
      folderFindings(config, user),
      clockFindings(),
    ]);
    return parts.flat();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => ({
      id: 'configuration-unreadable',
      severity: 'error',
      what: `the user ${user.name} cannot use the configuration: ${problem}`,
      why: 'the service reads it as that user, so it does not start',
      fix: 'give the group of the service read access to it and to the files that it names',
      command: `chgrp ${user.gid} /etc/hotitem/* && chmod g+r /etc/hotitem/*`,
    }));
  }
}

type Test = {
  config: Config;
  request: ReturnType<typeof toTestRequest>;
  facts: StatusFacts;
  isDelivered: boolean;
};

async function testView({ config, request, facts, isDelivered }: Test): Promise<Followed> {
  if (request === undefined)
    return { text: 'not sent: no capturing location is known (set a page with --url)', findings: [] };
  if ('problem' in facts.sidecar) return { text: 'not sent: no sidecar answers', findings: [] };
  const sentAt = Date.now();
  const sent = await sendTestView(request);
  return followTestView(sent, { config, sentAt, isDelivered });
}

function heading({ name, uid, by }: ServiceUser, nginx: NginxReport | undefined): string {
  const who = `checked as the user ${name} (uid ${uid}${by === '' ? '' : `: ${by}`})`;
  if (nginx === undefined) return `${who}; no nginx was checked: none is on the PATH (--nginx PROGRAM)`;
  const njs = nginx.njs === undefined ? 'no njs' : `njs ${nginx.njs.version}`;
  return `${who}; nginx ${nginx.nginx}, ${njs} (${nginx.program})`;
}

/** nginx.conf shows the actual values, whatever the configuration says. */
function withIncludes(includes: string | undefined, { places, ...facts }: StatusFacts): StatusFacts {
  return { ...facts, places: { ...places, includes: includes ?? places.includes } };
}

function withoutFindings({ findings: _findings, ...rest }: NginxReport): Omit<NginxReport, 'findings'> {
  return rest;
}
