import * as z from 'zod';
import { FIELDS } from '../event/fields.ts';

const CONTROL = /\p{Cc}/u;

const words = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .refine((text) => !CONTROL.test(text), { message: 'must not contain control characters' });
const item = z.string().min(1).max(FIELDS.item.limit);
const instant = z.number().int().min(0).max(Date.UTC(9999, 0));
const said = { reason: words, by: words };

/** A command of the operator on the hot list. */
export const hotCommand = z.discriminatedUnion('do', [
  z
    .strictObject({
      do: z.literal('pin'),
      item,
      from: instant.optional(),
      until: instant.optional(),
      ...said,
    })
    .refine(({ from = 0, until = Number.POSITIVE_INFINITY }) => from < until, {
      path: ['until'],
      message: 'must be after from',
    }),
  z.strictObject({ do: z.literal('ban'), item, until: instant.optional(), ...said }),
  z.strictObject({ do: z.literal('clear'), item, ...said }),
  z.strictObject({ do: z.literal('purge'), item: item.optional(), ...said }),
  z.strictObject({ do: z.literal('freeze'), ...said }),
  z.strictObject({ do: z.literal('thaw'), ...said }),
]);

export type HotCommand = z.output<typeof hotCommand>;
