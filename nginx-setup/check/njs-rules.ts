import { type Finding, placeOf } from '../../service/finding.ts';
import { inherited } from '../conf/site.ts';
import { compareVersions, NJS_FROM } from '../program/version.ts';
import type { Facts } from './facts.ts';
import { topLine } from './mend.ts';

type Danger = { from: string; below: string; why: string; fix: string };

/** Versions of njs that must not serve a shop, from upstream's CHANGES and issues. */
const DANGEROUS_NJS: readonly Danger[] = [
  {
    from: '0',
    below: NJS_FROM,
    why: `it was never tested: ${NJS_FROM} is the oldest tested version`,
    fix: 'upgrade njs to 0.8.9, or to 1.0.1 or newer, or use capture-log.conf, which needs no njs',
  },
  {
    from: '0.8.0',
    below: '0.8.1',
    why: 'internal redirects of scripts are broken in it',
    fix: 'upgrade njs to 0.8.1 or newer',
  },
  {
    from: '0.9.2',
    below: '0.9.3',
    why: 'a js_set variable in the log phase uses freed memory: workers crash',
    fix: 'upgrade njs to 1.0.1 or newer, or go back to 0.8.9',
  },
  {
    from: '0.9.5',
    below: '1.0.0',
    why: 'r.subrequest() uses freed memory if a client disconnects early: workers crash',
    fix: 'upgrade njs to 1.0.1 or newer, or go back to 0.8.9',
  },
];

const OLDEST_QUICKJS_ADVISED = '1.0.0';

/** What is wrong with the njs module, for the includes in use. No findings if none of them needs a script. */
export function njsFindings(facts: Facts): Finding[] {
  const { njs, site } = facts;
  const scripted = site.ours.filter(({ include }) => include.njs !== undefined);
  const first = scripted[0];
  if (first === undefined) return [];
  if ('reason' in njs) return [noNjs(facts, njs.reason)];
  const { version, quickjs } = njs;
  const where = placeOf(first.directive);

  const dangers = DANGEROUS_NJS.filter(
    ({ from, below }) => compareVersions(version, from) >= 0 && compareVersions(version, below) < 0,
  ).map(
    ({ why, fix }): Finding => ({
      id: 'njs-version',
      severity: 'error',
      what: `njs ${version} is dangerous`,
      why,
      fix,
    }),
  );

  const needs = scripted.flatMap(({ name, include, directive }): Finding[] => {
    const old = include.njs !== undefined && compareVersions(version, include.njs) < 0;
    if (!old && !(include.quickjs && !quickjs)) return [];
    return [
      {
        id: old ? 'njs-too-old' : 'njs-without-quickjs',
        severity: 'error',
        what: old
          ? `${name} needs njs ${include.njs} or newer, this is ${version}`
          : `${name} needs an njs built with QuickJS`,
        where: placeOf(directive),
        why: old ? 'older versions lack functions that it uses' : `this njs ${version} was built without`,
        fix: include.quickjs
          ? 'run hotitem nginx install --engine njs, or install another njs module'
          : `upgrade the njs module, or do not include ${name}`,
      },
    ];
  });

  const engine = inherited(first, 'js_engine')?.args[0] ?? 'njs';
  if (compareVersions(version, OLDEST_QUICKJS_ADVISED) < 0 || engine !== 'njs') return [...dangers, ...needs];
  return [
    ...dangers,
    ...needs,
    {
      id: 'njs-engine-deprecated',
      severity: 'note',
      what: `the script runs on njs' own engine, deprecated from njs ${OLDEST_QUICKJS_ADVISED} on (this is ${version})`,
      where,
      why: 'upstream recommends QuickJS and will remove the old engine',
      fix: quickjs
        ? 'run hotitem nginx install --engine qjs, if no other script of this nginx needs the njs engine'
        : 'nothing for now: this module was built without QuickJS',
    },
  ];
}

function noNjs({ site, moduleFile, build }: Facts, reason: string): Finding {
  const loads = site.spots.find(({ directive }) => isJsModule(directive));
  return {
    id: loads === undefined ? 'module-not-loaded' : 'module-does-not-load',
    severity: 'error',
    what: loads === undefined ? 'the njs module is not loaded' : `the njs module does not load: ${reason}`,
    where: loads === undefined ? { file: site.configuration.main.path, line: 1 } : placeOf(loads.directive),
    why: 'the includes use its directives js_import and js_set',
    fix:
      loads !== undefined
        ? `install the module for nginx ${build.version}, from the same source as nginx`
        : moduleFile !== undefined
          ? `add at the very top of nginx.conf: load_module ${moduleFile};`
          : 'install it (Debian: libnginx-mod-http-js, nginx.org: nginx-module-njs) and load it, or use capture-log.conf, which does not need it',
    ...(loads === undefined &&
      moduleFile !== undefined && {
        command: topLine(site.configuration.main.path, `load_module ${moduleFile};`),
      }),
  };
}

/** `load_module …/ngx_http_js_module.so` */
export function isJsModule({ name, args }: { name: string; args: string[] }): boolean {
  return name === 'load_module' && /(^|\/)ngx_http_js_module[^/]*$/.test(args[0] ?? '');
}
