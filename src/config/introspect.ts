/** Reads facts out of the schema itself, so that suggestions and the reference page cannot disagree with it. */
import { z } from 'zod';
import type { Path } from './path.js';
import type { OptionMeta } from './blocks/parts.js';

/** The schema below `optional`, `nullable`, `default` and `prefault`. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const inner = unwrapOnce(schema);
  return inner === undefined ? schema : unwrap(inner);
}

function unwrapOnce(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return schema.def.innerType;
  }
  return undefined;
}

/** The schema that `path` inside `root` is checked by, wrappers kept; `undefined` for an unknown key. */
export function schemaAt(root: z.core.$ZodType, path: Path): z.core.$ZodType | undefined {
  let current: z.core.$ZodType | undefined = root;
  for (const part of path) {
    const inner: z.core.$ZodType | undefined = current === undefined ? undefined : unwrap(current);
    if (inner instanceof z.ZodObject) current = Object.hasOwn(inner.def.shape, part) ? shapeOf(inner)[part] : undefined;
    else if (inner instanceof z.ZodRecord) current = inner.def.valueType;
    else if (inner instanceof z.ZodArray) current = inner.def.element;
    else return undefined;
  }
  return current;
}

export function shapeOf(schema: z.ZodObject): Readonly<Record<string | number, z.core.$ZodType>> {
  return schema.def.shape;
}

/** Unit and way of applying, from the schema or what it wraps; the outermost says it last. */
export function metaOf(schema: z.core.$ZodType | undefined): OptionMeta & { readonly ignored?: boolean } {
  if (schema === undefined) return {};
  return { ...metaOf(unwrapOnce(schema)), ...z.globalRegistry.get(schema) };
}

/** Keys of the object that `path` leads to, without those that are only there to be ignored. */
export function knownKeys(root: z.core.$ZodType, path: Path): string[] {
  const found = schemaAt(root, path);
  const schema = found === undefined ? undefined : unwrap(found);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(shapeOf(schema)).flatMap(([key, field]) => (metaOf(field).ignored === true ? [] : [key]));
}

/** Every option below an object schema: dotted names of the leaves and blocks, outermost first. */
export function optionPaths(schema: z.core.$ZodType, prefix: Path = []): Path[] {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodObject)) return [];
  return Object.entries(shapeOf(inner)).flatMap(([key, field]) => {
    if (metaOf(field).ignored === true) return [];
    const path = [...prefix, key];
    return [path, ...optionPaths(field, path)];
  });
}
