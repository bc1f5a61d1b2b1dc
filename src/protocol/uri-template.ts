/**
 * URI templates (RFC 6570, levels 1 to 3) as MCP's resource templates use them: which URIs can a template stand for?
 *
 * Matching is generous, for its purpose is to find the upstream that is going to match again: a variable takes any
 * characters that its operator's expansion could hold, unencoded ones included, and may be empty; the query operators
 * take any query. Of several templates that match, the most specific one wins (`specificity`).
 *
 * A template is matched token by token against all positions reached so far, without backtracking and without any
 * expression built from input: time is bounded by (length of the URI) × (length of the template), both capped.
 */

export interface UriTemplate {
  readonly template: string;
  matches(uri: string): boolean;
  /** Higher for templates with more fixed text; with equal text, for those with fewer and narrower variables. */
  readonly specificity: number;
}

export const MAX_TEMPLATE_LENGTH = 2048;
export const MAX_TEMPLATE_EXPRESSIONS = 32;
export const MAX_MATCHED_URI_LENGTH = 16_384;

interface Literal {
  readonly kind: 'literal';
  readonly text: string;
}

interface Variable {
  readonly kind: 'variable';
  /** First character of a non-empty expansion, '' where there is none. */
  readonly lead: string;
  /** Characters that end the expansion. */
  readonly stop: string;
}

type Token = Literal | Variable;

/** RFC 6570, section 2.2 and appendix A. `,` `.` `;` within the values of several variables need no rule of their own. */
const OPERATORS: ReadonlyMap<string, { readonly lead: string; readonly stop: string; readonly list: string }> = new Map(
  Object.entries({
    '+': { lead: '', stop: '', list: '' },
    '#': { lead: '#', stop: '', list: '' },
    '.': { lead: '.', stop: '/', list: '/' },
    '/': { lead: '/', stop: '/', list: '' },
    ';': { lead: ';', stop: '/', list: '/' },
    '?': { lead: '?', stop: '#', list: '#' },
    '&': { lead: '&', stop: '#', list: '#' },
  }),
);
const SIMPLE = { lead: '', stop: '/', list: '/' };

/** `name`, `name.part`, percent-encoded parts; then `:3` or `*` of level 4, which matching can ignore. */
const VARIABLE = /^(?:[A-Za-z0-9_.]|%[0-9A-Fa-f]{2})+(?::[1-9][0-9]{0,3}|\*)?$/;

/** Compiles a template; `undefined` when it is malformed, too long or has too many variables. */
export function compileTemplate(template: string): UriTemplate | undefined {
  if (template.length > MAX_TEMPLATE_LENGTH) return undefined;
  const tokens = tokenize(template);
  if (tokens === undefined) return undefined;
  return { template, specificity: specificityOf(tokens), matches: (uri) => matchesTokens(tokens, uri) };
}

function tokenize(template: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  let at = 0;
  let expressions = 0;
  while (at < template.length) {
    const open = template.indexOf('{', at);
    const literal = template.slice(at, open < 0 ? undefined : open);
    if (literal.includes('}')) return undefined;
    if (literal !== '') tokens.push({ kind: 'literal', text: asciiUri(literal) });
    if (open < 0) break;
    const close = template.indexOf('}', open);
    if (close < 0) return undefined;
    const variable = parseExpression(template.slice(open + 1, close));
    if (variable === undefined) return undefined;
    tokens.push(variable);
    if (++expressions > MAX_TEMPLATE_EXPRESSIONS) return undefined;
    at = close + 1;
  }
  return tokens;
}

function parseExpression(expression: string): Variable | undefined {
  const operator = OPERATORS.get(expression.charAt(0));
  const names = (operator === undefined ? expression : expression.slice(1)).split(',');
  if (!names.every((name) => VARIABLE.test(name))) return undefined;
  const { lead, stop, list } = operator ?? SIMPLE;
  const several = names.length > 1 || expression.endsWith('*');
  return { kind: 'variable', lead, stop: several ? list : stop };
}

/** Fixed characters count most; every variable costs a little, one that takes everything costs more. */
function specificityOf(tokens: readonly Token[]): number {
  let score = 0;
  for (const token of tokens) {
    if (token.kind === 'literal') score += token.text.length * 1024;
    else score -= token.stop === '' ? 2 : 1;
  }
  return score;
}

function matchesTokens(tokens: readonly Token[], uri: string): boolean {
  if (uri.length > MAX_MATCHED_URI_LENGTH) return false;
  const text = asciiUri(uri);
  const [first] = tokens;
  if (first?.kind === 'literal' && !text.startsWith(first.text)) return false; // most templates of most servers
  // reached[p] = 1: the tokens so far can stand for the first p characters.
  let reached = new Uint8Array(text.length + 1);
  reached[0] = 1;
  for (const token of tokens) {
    reached = token.kind === 'literal' ? afterLiteral(token, text, reached) : afterVariable(token, text, reached);
  }
  return reached[text.length] === 1;
}

function afterLiteral({ text: literal }: Literal, text: string, reached: Uint8Array): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(reached.length);
  for (let p = reached.indexOf(1); p >= 0; p = reached.indexOf(1, p + 1)) {
    if (text.startsWith(literal, p)) next[p + literal.length] = 1;
  }
  return next;
}

/** An expansion is empty, or the lead and then characters up to the first one that ends it. */
function afterVariable({ lead, stop }: Variable, text: string, reached: Uint8Array): Uint8Array<ArrayBuffer> {
  const next = Uint8Array.from(reached);
  let inside = false; // some reached position began an expansion that lasts up to here
  for (let p = 0; p <= text.length; p++) {
    if (inside) next[p] = 1;
    const character = text.charAt(p);
    if (stop !== '' && character === stop && character !== lead) inside = false;
    else if (reached[p] === 1 && (lead === '' || character === lead)) inside = true;
    else if (stop !== '' && character === stop) inside = false;
  }
  return next;
}

/** Characters outside ASCII as percent-encoded UTF-8, so that encoded and plain spellings of a URI meet. */
function asciiUri(uri: string): string {
  return uri.replace(NON_ASCII, (run) => {
    let encoded = '';
    for (const byte of encoder.encode(run)) encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    return encoded;
  });
}

const NON_ASCII = /[^\0-\u007f]+/g;
const encoder = new TextEncoder();
