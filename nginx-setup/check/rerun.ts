import type { Directive } from '../conf/directives.ts';
import { CAPTURE_URI, SPILL_URI } from '../conf/include-table.ts';
import { toRegExp } from '../conf/locate.ts';
import { childrenOf, type Site } from '../conf/site.ts';
import { type Condition, conditionOf, type Reading } from './condition.ts';

const SUBREQUESTS = [CAPTURE_URI, SPILL_URI];
/** Variables of the connection, the server, or the page's request: a subrequest has the same values. */
const SAME =
  /^(?:host|hostname|http_(?!content_)\w+|cookie_\w+|scheme|https|server_(?:name|port|addr|protocol)|(?:binary_)?remote_addr|remote_(?:port|user)|realip_\w+|proxy_protocol_\w+|request|request_(?:uri|method|id)|ssl_\w+|geoip2?_\w+|document_root|realpath_root|connection|nginx_version|pid)$/;
const OF_URI = ['uri', 'document_uri'];
const OF_QUERY = /^(?:args|query_string|is_args|arg_\w+)$/;
/** These compute their variable once per request, subrequests included, unless it is volatile. */
const COMPUTED = ['map', 'geo', 'split_clients'];
/** Directives that may set variables that we cannot see. */
const SCRIPTS = /_by_lua|^perl$|^js_(?:content|access|header_filter|body_filter)$/;
const REDIRECTS = ['redirect', 'permanent'];
const ENDS = ['last', 'break'];

export type Rerun = {
  /** Whether running that rule again for our subrequest may change a page, or lose the view. */
  harms(rule: Directive): boolean;
};

/** The effects of a server's rules when nginx runs them again for a view's subrequest, after they ran for its page. */
export function createRerun({
  rules,
  server,
  site,
}: {
  rules: Directive[];
  server: Directive;
  site: Site;
}): Rerun {
  const inside = site.spots.filter(({ around }) => around.includes(server)).map(({ directive }) => directive);
  const scripted = inside.some(({ name }) => SCRIPTS.test(name));
  const computed = new Set(
    site.spots.flatMap(({ directive }) => (isComputed(directive) ? [directive.args.at(-1) ?? ''] : [])),
  );
  const resets = rules.filter(({ name }) => name === 'set');
  /** Variables that only these rules set, each time to the value that they have for the page. */
  let settled = new Set<string>();
  let alike = new Set<Directive>();
  // Settled variables decide which conditions are alike, and these which other variables are settled: repeat until nothing changes.
  for (let before = -1; before < settled.size; ) {
    before = settled.size;
    alike = new Set(rules.flatMap(runAlike));
    const sets = [...alike].filter(({ name }) => name === 'set');
    const changing = new Set(sets.filter((rule) => !isSettled(rule)).map(({ args }) => args[0]));
    settled = new Set(
      sets.flatMap(({ args: [variable = ''] }) => (changing.has(variable) ? [] : [variable])),
    );
  }
  return { harms };

  function harms(rule: Directive): boolean {
    const { name, args } = rule;
    if (args.join(' ').includes('_hotitem')) return false;
    if (name === 'return') return true;
    if (name === 'rewrite') return mayMatch(args[0]);
    if (name === 'if') return harmsIf(rule);
    return setsAnything(rule);
  }

  function harmsIf(rule: Directive): boolean {
    const condition = conditionAt(rule);
    if (condition.runs === 'never') return false;
    // The same condition was true for the page's request and did not end it: otherwise there would be no view.
    const alikeForBoth = condition.runs === 'alike';
    if (!alikeForBoth && condition.names) return true;
    return [...childrenOf(rule.block ?? [])].some((inner) => {
      if (inner.name === 'return') return !alikeForBoth;
      if (inner.name === 'rewrite') return !(alikeForBoth && isRedirect(inner)) && mayMatch(inner.args[0]);
      return setsAnything(inner, condition);
    });
  }

  /** `set`, and the like of other modules: `set_by_lua`, `set_escape_uri` … */
  function setsAnything({ name, args }: Directive, condition?: Condition): boolean {
    if (name === 'set')
      return !settled.has(args[0] ?? '') || (condition && condition.runs !== 'alike') === true;
    return name.startsWith('set_') && name !== 'set_real_ip_from';
  }

  /** The rules that run for the subrequest exactly if they ran for the page. */
  function runAlike(rule: Directive): Directive[] {
    if (isPastAnEnd(rule)) return [];
    if (rule.name !== 'if') return [rule];
    return conditionAt(rule).runs === 'alike' ? [...childrenOf(rule.block ?? [])] : [];
  }

  function conditionAt(rule: Directive): Condition {
    const condition = conditionOf(rule.args, (name) => readAt(rule, name));
    return condition.runs === 'alike' && isPastAnEnd(rule) ? { ...condition, runs: 'unknown' } : condition;
  }

  /** Whether the subrequest may reach a rule that the page's request did not reach. */
  function isPastAnEnd(rule: Directive): boolean {
    return rules.slice(0, Math.max(indexOf(rule), 0)).some(mayEndForThePage);
  }

  function mayEndForThePage({ name, args, block = [] }: Directive): boolean {
    if (name === 'rewrite') return ENDS.includes(args[2] ?? '');
    if (name !== 'if') return false;
    const alikeForBoth =
      conditionOf(args, (variable) => (isAlways(variable) ? 'alike' : 'unknown')).runs === 'alike';
    return [...childrenOf(block)].some(
      (inner) => (inner.name === 'break' && !alikeForBoth) || mayEndForThePage(inner),
    );
  }

  function isAlways(variable: string): boolean {
    return SAME.test(variable) || computed.has(`$${variable}`);
  }

  function isSettled(rule: Directive): boolean {
    const [variable = '', value = ''] = rule.args;
    if (scripted) return false;
    const group = new RegExp(`\\(\\?P?<${variable.slice(1)}>`);
    const elsewhere = inside.some(
      (other) =>
        !alike.has(other) &&
        ((other.name.includes('set') && other.args[0] === variable) ||
          other.args.some((arg) => group.test(arg))),
    );
    const before = variablesOf(value).filter((name) => name !== variable.slice(1) || !isReset(rule, name));
    return !elsewhere && before.every((name) => readAt(rule, name) === 'alike');
  }

  /** Above the first rule that always sets it, a variable still has its last value of the page's request. */
  function readAt(rule: Directive, name: string): Reading {
    if (OF_URI.includes(name)) return SUBREQUESTS;
    if (OF_QUERY.test(name)) return [''];
    if (isAlways(name)) return 'alike';
    return isReset(rule, name) && settled.has(`$${name}`) ? 'alike' : 'unknown';
  }

  /** Whether the variable is always set above that rule. */
  function isReset(rule: Directive, name: string): boolean {
    const first = resets.find(({ args }) => args[0] === `$${name}`);
    return first !== undefined && indexOf(first) < indexOf(rule);
  }

  /** The index of a rule, or of the `if` around it. */
  function indexOf(rule: Directive): number {
    return rules.findIndex((one) => one === rule || [...childrenOf(one.block ?? [])].includes(rule));
  }
}

function isComputed({ name, block = [] }: Directive): boolean {
  return COMPUTED.includes(name) && ![...childrenOf(block)].some((child) => child.name === 'volatile');
}

function isRedirect({ args }: Directive): boolean {
  return REDIRECTS.includes(args[2] ?? '') || /^(?:https?:\/\/|\$scheme)/.test(args[1] ?? '');
}

/** Whether a pattern matches the URI of our subrequest; an unreadable pattern counts as matching. */
function mayMatch(pattern = ''): boolean {
  const regexp = toRegExp(pattern, false);
  return regexp === undefined || SUBREQUESTS.some((uri) => regexp.test(uri));
}

/** The variables in a value, without the `$`. */
function variablesOf(value: string): string[] {
  return [...value.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name);
}
