/**
 * Opaque cursors for merged lists.
 *
 * A cursor names the last key that the client has seen ("keyset"), so pages stay right while upstreams come and go: no
 * item is shown twice, none that stays is skipped. It carries no authority and so no signature: a forged one can only
 * say where to go on in a list that its bearer may read anyway.
 *
 * Source: MCP specification, "Server Features › Utilities › Pagination" (invalid cursors are −32602).
 */

export type CursorKind = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

/** The list methods, by what they list. */
export const LIST_KINDS = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
} as const satisfies Readonly<Record<string, CursorKind>>;

export interface Cursor {
  readonly kind: CursorKind;
  /** The last key of the page before. */
  readonly after: string;
}

/** Longest key, in UTF-16 units, whose cursor is sure to be read again. Longer names do not belong in a list. */
export const MAX_CURSOR_KEY = 8192;

/** A key of only control characters takes six characters a unit as JSON, and base64 adds a third. */
const MAX_CURSOR_LENGTH = MAX_CURSOR_KEY * 8 + 128;

const FORMAT = 1;

export function encodeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify([FORMAT, cursor.kind, cursor.after])).toString('base64url');
}

/** The cursor, or `undefined` for anything that `encodeCursor` did not make for this kind of list. */
export function decodeCursor(text: unknown, kind: CursorKind): Cursor | undefined {
  if (typeof text !== 'string' || text.length > MAX_CURSOR_LENGTH) return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts)) return undefined;
  const [, , after] = parts as readonly unknown[];
  if (typeof after !== 'string' || after.length > MAX_CURSOR_KEY) return undefined;
  const cursor: Cursor = { kind, after };
  // One cursor has one spelling: this also checks format and kind.
  return encodeCursor(cursor) === text ? cursor : undefined;
}
