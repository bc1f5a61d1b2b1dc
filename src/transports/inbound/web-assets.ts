/**
 * The files of the browser dashboard: read once, kept in memory, served under fixed names. There is no path from a request
 * to the file system: what is not in the list is not there.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface WebAsset {
  readonly type: string;
  readonly body: Buffer;
  /** Strong: of the bytes. */
  readonly etag: string;
}

export interface WebAssets {
  readonly page: WebAsset;
  /** Without scripts and styles from anywhere else, frames, forms or plug-ins. CSP Level 3. */
  readonly policy: string;
  /** By what stands behind `/mcp/dashboard/assets/`. */
  get(name: string): WebAsset | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The build (`dist`), and the folder above it. */
const BUILT = fileURLToPath(new URL('../../', import.meta.url));
const STATIC = join(BUILT, '..', 'web', 'static');
/** The first script; what it imports, and what that imports, is served, and nothing else of the build. */
const ENTRY = 'web/app.js';
const IMPORT = /^(?:import|export)\b[^'"]*?(?:from )?['"]([^'"]+)['"]/gm;

/** Reads all of it. Rejects when the page has not been built. */
export async function loadWebAssets(): Promise<WebAssets> {
  const files = new Map<string, WebAsset>();
  await addScript(files, ENTRY);
  for (const [prefix, folder] of [['static', STATIC] as const, ...libraries()]) {
    for (const name of await readdir(folder)) {
      if (/\.(js|css|svg)$/.test(name)) files.set(`${prefix}/${name}`, await asset(join(folder, name)));
    }
  }
  const page = await asset(join(STATIC, 'index.html'));
  return { page, policy: policyOf(page), get: (name) => files.get(name) };
}

/** `name` is a path below the assets: `web/…` is `dist/web/…`, `src/…` is `dist/…`. */
async function addScript(files: Map<string, WebAsset>, name: string): Promise<void> {
  if (files.has(name)) return;
  const script = await asset(join(BUILT, name.startsWith('src/') ? name.slice('src/'.length) : name));
  files.set(name, script);
  for (const [, specifier = ''] of script.body.toString('utf8').matchAll(IMPORT)) {
    if (specifier.startsWith('#src/')) await addScript(files, specifier.slice(1));
    else if (specifier.startsWith('.')) await addScript(files, posix.join(posix.dirname(name), specifier));
  }
}

/** Browser builds of packages. */
function libraries(): readonly (readonly [string, string])[] {
  const require = createRequire(import.meta.url);
  return [
    ['lib/uplot', dirname(require.resolve('uplot'))],
    ['lib/east-asian-width', dirname(fileURLToPath(import.meta.resolve('get-east-asian-width')))],
  ];
}

async function asset(path: string): Promise<WebAsset> {
  const body = await readFile(path);
  const type = TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
  return { type, body, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"` };
}

/** The import map is the one script within the page; it is allowed by its hash. */
function policyOf(page: WebAsset): string {
  const map = /<script type="importmap">([\s\S]*?)<\/script>/.exec(page.body.toString('utf8'))?.[1] ?? '';
  const hash = createHash('sha256').update(map).digest('base64');
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
