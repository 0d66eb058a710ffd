import { type Place, placeOf } from '../../service/finding.ts';
import type { Directive } from '../conf/directives.ts';
import { CAPTURE_VARIABLES, type Transport } from '../conf/include-table.ts';
import { blockAround, childrenOf, nameOf, type Site, type Spot } from '../conf/site.ts';

export type Capture = {
  server: string;
  location: string;
  transport: Transport;
  /** `redirect`: nginx continues in another location, because of a `rewrite … last` in this one. */
  how: 'in place' | 'redirect';
  where: Place;
  /** The `set` that captures, and the blocks around it. */
  spot: Spot;
  /** The location itself; undefined if the `set` is outside of locations. */
  block: Directive | undefined;
};

/** Every location that captures, with one of our includes or with a `set` line that the operator wrote. */
export function capturesOf({ spots, ours }: Site): Capture[] {
  return spots.flatMap((spot) => {
    const { directive } = spot;
    const variable =
      directive.name === 'set' ? /^\$\{?(\w+)\}?$/.exec(directive.args[1] ?? '')?.[1] : undefined;
    if (variable === undefined || !Object.hasOwn(CAPTURE_VARIABLES, variable)) return [];
    const server = blockAround(spot, 'server');
    const block = blockAround(spot, 'location');
    // An include is unambiguous: several transports may use the same variable.
    const include = ours.find(
      ({ file, include }) => file.path === directive.file && include.transport !== undefined,
    );
    const transport = include?.include.transport ?? CAPTURE_VARIABLES[variable] ?? 'subrequest';
    return [
      {
        server: server === undefined ? 'no server' : nameOf(server),
        location: block === undefined ? 'no location' : nameOf(block),
        transport,
        how: block !== undefined && redirectOf(block) !== undefined ? 'redirect' : 'in place',
        where: placeOf(block ?? directive),
        spot,
        block,
      },
    ];
  });
}

/** The `rewrite … last` with which a location passes its requests to another one. */
export function redirectOf(location: Directive): Directive | undefined {
  return [...childrenOf(location.block ?? [])].find(
    ({ name, args }) =>
      name === 'rewrite' && (args[2] === 'last' || args[2] === undefined) && !isExternal(args[1]),
  );
}

function isExternal(replacement = ''): boolean {
  return /^(https?:\/\/|\$scheme)/.test(replacement);
}
