import { basename, dirname, resolve } from 'node:path';
import { type Finding, placeOf } from '../../service/finding.ts';
import type { Directive } from '../conf/directives.ts';
import { INCLUDES } from '../conf/include-table.ts';
import { blockAround, nameOf, type OurInclude } from '../conf/site.ts';
import { compareVersions } from '../program/version.ts';
import type { Facts } from './facts.ts';
import { installInto, otherInclude } from './mend.ts';

/** Whether each of our includes is in the right block, once, and what it needs is included too. */
export function includeFindings(facts: Facts): Finding[] {
  return [
    ...missingFiles(facts),
    ...misplaced(facts),
    ...repeated(facts),
    ...lonely(facts),
    ...tooOldFor(facts),
    ...purpose(facts),
  ];
}

function missingFiles({ site }: Facts): Finding[] {
  const { main, missing } = site.configuration;
  return missing.map((directive) => {
    const path = resolve(dirname(main.path), directive.args[0] ?? '');
    return {
      id: 'include-not-found',
      severity: 'error',
      what: `${directive.args[0]} does not exist`,
      where: placeOf(directive),
      why: 'nginx does not start or reload if an included file is missing',
      fix: "hotitem nginx install writes hotitem's files, also a missing items.conf; otherwise correct the path",
      ...(Object.hasOwn(INCLUDES, basename(path)) && { command: installInto(dirname(path)) }),
    };
  });
}

function misplaced({ site }: Facts): Finding[] {
  return site.ours.flatMap((ours): Finding[] => {
    const { name, include, around, directive } = ours;
    const context = contextOf(around);
    if (include.context.includes(context)) return [];
    return [
      {
        id: 'include-misplaced',
        severity: 'error',
        what: `${name} is in ${context}`,
        where: placeOf(directive),
        why: `its directives are valid in ${include.context.join(' or ')} only`,
        fix: `move the include into ${include.context[0] === 'location' ? 'the location whose views are to be captured' : `the ${include.context[0]} block`}`,
      },
    ];
  });
}

/** `location`, `if` (of a location), `server`, `http` … or `main`. */
function contextOf(around: Directive[]): string {
  const last = around.at(-1);
  if (last === undefined) return 'main';
  return last.name === 'if' && !around.some(({ name }) => name === 'location') ? 'if of a server' : last.name;
}

function repeated({ site }: Facts): Finding[] {
  const [first, ...more] = site.ours.filter(({ include }) => include.alone);
  const definers = more.map(
    (again): Finding => ({
      id: 'include-twice',
      severity: 'error',
      what:
        again.name === first?.name
          ? `${again.name} is included twice`
          : `both ${first?.name} and ${again.name} are included`,
      where: placeOf(again.directive),
      why: `they define the same variables, formats and upstream (first: ${first?.directive.file}:${first?.directive.line})`,
      fix: 'keep one of them, once, in the http block',
    }),
  );
  const rest = site.ours.filter(({ include }) => !include.alone && !include.transport);
  return [...definers, ...rest.filter(isRepeated).map(twice)];

  function isRepeated(ours: OurInclude): boolean {
    const earlier = rest.slice(0, rest.indexOf(ours));
    // The files that a repeated http.conf includes are covered by the finding for http.conf.
    const viaOurs = site.ours.some(({ file }) => file.path === ours.directive.file);
    return (
      !viaOurs &&
      earlier.some((other) => other.name === ours.name && other.around.at(-1) === ours.around.at(-1))
    );
  }
}

function twice({ name, directive, around }: OurInclude): Finding {
  const block = around.at(-1);
  return {
    id: 'include-twice',
    severity: 'error',
    what: `${name} is included twice in ${block === undefined ? 'the main context' : nameOf(block)}`,
    where: placeOf(directive),
    why: 'nginx rejects duplicate definitions',
    fix: 'remove one of the two lines',
  };
}

/** What an include, or a `set` that the operator wrote, needs and is missing; one finding per block. */
function lonely({ site, captures }: Facts): Finding[] {
  const found = new Map<string, Finding>();
  const byHand = captures.map(({ spot, transport }) => ({
    ...spot,
    name: `set ${spot.directive.args.join(' ')}`,
    include: INCLUDES[`capture-${transport}.conf`],
  }));
  for (const { name, include, directive, around } of [...site.ours, ...byHand]) {
    for (const need of include?.requires ?? []) {
      const block = blockAround({ around }, need.in);
      const there = site.ours.some(
        (other) => need.oneOf.includes(other.name) && other.around.at(-1) === block,
      );
      const [wanted, ...others] = need.oneOf;
      const where = placeOf(block ?? directive);
      const key = `${wanted} ${where.file} ${where.line}`;
      if (there || found.has(key)) continue;
      found.set(key, {
        id: 'include-missing',
        severity: 'error',
        what: `${wanted} is missing in ${block === undefined ? need.in : nameOf(block)}`,
        where,
        why: `${name} (${directive.file}:${directive.line}) needs ${wanted === 'server.conf' ? 'its internal locations: without them no view reaches the sidecar' : 'what it defines'}`,
        fix: `include ${wanted} in that ${need.in} block${others.length > 0 ? ` (or ${others.join(', ')})` : ''}`,
      });
    }
  }
  return [...found.values()];
}

function tooOldFor({ site, build }: Facts): Finding[] {
  const found = site.ours.find(
    ({ include }) => include.nginx && compareVersions(build.version, include.nginx) < 0,
  );
  if (found === undefined) return [];
  return [
    {
      id: 'nginx-too-old',
      severity: 'error',
      what: `${found.name} needs nginx ${found.include.nginx} or newer, this is ${build.version}`,
      where: placeOf(found.directive),
      why: 'older versions were not tested',
      fix: 'update nginx',
    },
  ];
}

/** Whether any location captures. */
function purpose({ site, captures }: Facts): Finding[] {
  const inOurs = new Set(site.ours.map(({ file }) => file.path));
  const off = site.ours.find(
    ({ name, directive }) => ['off.conf', 'off-batch.conf'].includes(name) && !inOurs.has(directive.file),
  );
  if (off !== undefined) {
    const logged = captures.length > 0 && captures.every(({ transport }) => transport === 'log');
    const on = logged ? 'http-log.conf' : 'http.conf';
    return [
      {
        id: 'capture-off',
        severity: 'note',
        what: 'capture is off',
        where: placeOf(off.directive),
        why: `${off.name} is included: everything is set up, but nothing is captured`,
        fix: `to switch capture on, replace it with ${on} and reload`,
        command: otherInclude(off.directive, off.name, on),
      },
    ];
  }
  if (captures.length > 0) return [];
  const any = site.ours[0];
  return [
    {
      id: 'nothing-captured',
      severity: 'error',
      what: 'no location captures views',
      ...(any && { where: placeOf(any.directive) }),
      why:
        any === undefined
          ? 'this configuration includes no file of hotitem'
          : 'no location includes a capture-….conf',
      fix:
        any === undefined
          ? 'run hotitem nginx install --dir FOLDER, and do what it prints'
          : 'include capture-subrequest.conf (or another) in the location of your item pages, and reload',
    },
  ];
}
