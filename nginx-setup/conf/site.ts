import { basename } from 'node:path';
import type { Configuration } from './configuration.ts';
import type { Directive, SourceFile } from './directives.ts';
import { INCLUDES, type Include } from './include-table.ts';

/** A directive and the blocks around it, the outermost first. An include is not a block. */
export type Spot = { directive: Directive; around: Directive[] };

/** An `include` of one of our files, and that file. */
export type OurInclude = Spot & { name: string; include: Include; file: SourceFile };

export type Site = {
  configuration: Configuration;
  /** Every directive, in the order in which nginx reads them; an include comes before its content. */
  spots: Spot[];
  ours: OurInclude[];
};

/** Flattens a configuration into lists that the rules search. */
export function createSite(configuration: Configuration): Site {
  const spots = [...walk(configuration.main.directives, [])];
  return { configuration, spots, ours: spots.flatMap(oursOf) };
}

/** The directives directly in a block, the content of its includes among them, in nginx's order. */
export function* childrenOf(directives: Directive[]): Generator<Directive> {
  for (const directive of directives) {
    if (directive.included === undefined) yield directive;
    else for (const { directives: inner } of directive.included) yield* childrenOf(inner);
  }
}

/** The directives of that name directly in the block. */
export function childrenNamed(block: Directive | undefined, name: string): Directive[] {
  return [...childrenOf(block?.block ?? [])].filter((child) => child.name === name);
}

/** The last directive of that name directly in the block. */
export function childOf(block: Directive | undefined, name: string): Directive | undefined {
  return childrenNamed(block, name).at(-1);
}

/** The directive of that name that applies at a spot: in its own block, else in the nearest block around it. */
export function inherited({ around }: Pick<Spot, 'around'>, name: string): Directive | undefined {
  for (const block of around.toReversed()) {
    const found = childOf(block, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The nearest block of that name around a spot. */
export function blockAround({ around }: Pick<Spot, 'around'>, name: string): Directive | undefined {
  return around.findLast((block) => block.name === name);
}

/** A block's name for messages: `location /web/item/`, `server shop.example`. */
export function nameOf(block: Directive): string {
  if (block.name === 'server') {
    const names = childOf(block, 'server_name')?.args ?? childOf(block, 'listen')?.args.slice(0, 1) ?? [];
    return ['server', ...names].join(' ');
  }
  return [block.name, ...block.args].join(' ');
}

function* walk(directives: Directive[], around: Directive[]): Generator<Spot> {
  for (const directive of directives) {
    yield { directive, around };
    if (directive.block !== undefined) yield* walk(directive.block, [...around, directive]);
    for (const { directives: inner } of directive.included ?? []) yield* walk(inner, around);
  }
}

/** The file name is not enough: a shop may have its own http.conf. Our files name their context in the first line. */
function oursOf(spot: Spot): OurInclude[] {
  return (spot.directive.included ?? []).flatMap((file) => {
    const name = basename(file.path);
    const include = Object.hasOwn(INCLUDES, name) ? INCLUDES[name] : undefined;
    if (include === undefined || !/^Context: .*Needs: /.test(file.comments[0] ?? '')) return [];
    return [{ ...spot, name, include, file }];
  });
}
