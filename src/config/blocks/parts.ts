/**
 * What the configuration schema is put together from: kinds of values, and blocks of options. A feature's own block is a file
 * beside this one, named after its key in `gateway`.
 */
import { z } from 'zod';

/** Largest delay that Node's timers can hold (2^31 - 1 ms); more would fire at once. */
const MAX_TIME = 2_147_483_647;
export const MiB = 1024 * 1024;

export interface OptionMeta {
  readonly unit?: 'ms' | 'bytes';
  /** `live`: a changed file takes effect at once. `restart`: it waits for the next start. */
  readonly apply?: 'live' | 'restart';
}

export const LIVE: OptionMeta = { apply: 'live' };
export const RESTART: OptionMeta = { apply: 'restart' };

export const time = (description: string, min = 1) =>
  z.int().min(min).max(MAX_TIME).describe(description).meta({ unit: 'ms' });
export const count = (description: string, min = 1, max = 1_000_000) => z.int().min(min).max(max).describe(description);
export const bytes = (description: string) =>
  z
    .int()
    .min(1024)
    .max(1024 * MiB)
    .describe(description)
    .meta({ unit: 'bytes' });
export const text = (what: string) => z.string().min(1, { error: `${what} must not be empty` });

/** Clients write strings; numbers and booleans are taken as their text, with a warning (see `validate.ts`). */
export const scalar = z.union([z.string(), z.number(), z.boolean()], { error: 'must be a string' });

export const glob = text('a pattern').max(256);

/** Every option of a block applies in the same way; says so on each. A block within it says so itself. */
export function block<S extends z.core.$ZodLooseShape>(meta: OptionMeta, description: string, shape: S) {
  for (const field of Object.values(shape)) {
    if (field instanceof z.ZodType && !(field instanceof z.ZodPrefault) && field.meta()?.['apply'] === undefined) {
      z.globalRegistry.add(field, { ...field.meta(), ...meta });
    }
  }
  return z.strictObject(shape).describe(description);
}
