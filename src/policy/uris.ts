/**
 * Other spellings of a resource URI that a server may read as the same resource: percent-encoding undone, dot segments
 * resolved. Each must be allowed, or a deny could be passed by writing `%2e%2e/` or `/public/../private`. Pure.
 */

/** `uris`: the server's own, then the same with a prefix. Each other spelling of it, in both ways; of a plain URI none. */
export function spellingsOf([own = '', ...prefixed]: readonly string[]): readonly (readonly string[])[] {
  if (!/[%\\]|\/\./.test(own)) return [];
  const found = new Set(spellings(own));
  found.delete(own);
  return [...found].map((spelling) => [
    spelling,
    ...prefixed.map((uri) => (uri.endsWith(own) ? uri.slice(0, uri.length - own.length) + spelling : uri)),
  ]);
}

/** Twice decoded at most: what is still encoded then, a server that decodes once cannot be reached by. */
function* spellings(uri: string): Iterable<string> {
  let current = uri;
  for (let round = 0; round < 3; round += 1) {
    if (URL.canParse(current)) yield new URL(current).href;
    yield resolveDots(current.replaceAll('\\', '/'));
    const decoded = decode(current);
    if (decoded === current) return;
    yield decoded;
    current = decoded;
  }
}

/** RFC 3986, 5.2.4, for schemes that the URL parser leaves as they are. */
function resolveDots(uri: string): string {
  const kept: string[] = [];
  for (const part of uri.split('/')) {
    if (part === '..') {
      if (kept.length > 3) kept.pop();
    } else if (part !== '.') kept.push(part);
  }
  return kept.join('/');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
