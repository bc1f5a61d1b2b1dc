/** A tool's definition as it is pinned: its canonical form, the hash of it, and what differs between two. Pure. */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { isJsonObject, type JsonObject } from '../protocol/jsonrpc.js';

/** SHA-256 of the canonical form (RFC 8785) of all that the server says of the tool, 64 hexadecimal digits. */
export function hashOf(definition: JsonObject): string {
  return createHash('sha256')
    .update(canonicalize(definition) ?? '')
    .digest('hex');
}

/** One place in which two definitions differ. JSON texts; absent where there is nothing on that side. */
export interface Difference {
  /** `inputSchema.properties.path.description`; empty when the whole is meant. */
  readonly path: string;
  readonly before?: string;
  readonly after?: string;
}

/** In the order of the members of both. Lists are compared place by place. */
export function differences(before: unknown, after: unknown, path = ''): Difference[] {
  if (canonicalize(before) === canonicalize(after)) return [];
  if (isJsonObject(before) && isJsonObject(after)) return members(before, after, path);
  if (Array.isArray(before) && Array.isArray(after))
    return members(Object.fromEntries(before.entries()), Object.fromEntries(after.entries()), path);
  return [
    {
      path,
      ...(before !== undefined && { before: JSON.stringify(before) }),
      ...(after !== undefined && { after: JSON.stringify(after) }),
    },
  ];
}

function members(before: JsonObject, after: JsonObject, path: string): Difference[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) =>
    differences(own(before, name), own(after, name), path === '' ? name : `${path}.${name}`),
  );
}

function own(of: JsonObject, name: string): unknown {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}
