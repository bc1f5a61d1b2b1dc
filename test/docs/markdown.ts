/** Markdown as far as the tests of the documentation read it, and the files of the project. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.join(import.meta.dirname, '../../..');

/** Not the project's own text: fetched, built, or of a tool. */
const FOREIGN = new Set(['node_modules', 'dist', 'dist-test', 'coverage', 'api-docs', '.git', '.nyc_output']);

export interface Page {
  /** Relative to the root, `docs/guide.md`. */
  readonly path: string;
  readonly text: string;
  /** `text` without fenced code. */
  readonly prose: string;
}

/** Files of the project, relative to its root, whose names end in one of `endings`. */
export function projectFiles(endings: readonly string[], folder = ''): string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (FOREIGN.has(entry.name)) return [];
    const file = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) return projectFiles(endings, file);
    return endings.some((ending) => file.endsWith(ending)) ? [file] : [];
  });
}

export function readProject(file: string): string {
  return readFileSync(path.join(ROOT, file), 'utf8');
}

export function pages(): Page[] {
  return projectFiles(['.md']).map((file) => readPage(file));
}

export function readPage(file: string): Page {
  const text = readProject(file);
  return { path: file, text, prose: withoutFences(text) };
}

function withoutFences(text: string): string {
  let fence: string | null = null;
  const lines = text.split('\n').filter((line) => {
    const mark = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
    if (fence === null) {
      fence = mark ?? null;
      return mark === undefined;
    }
    if (mark?.startsWith(fence) === true) fence = null;
    return false;
  });
  return lines.join('\n');
}

/** Targets of links and images, in Markdown and in HTML. */
export function linksOf({ prose }: Page): string[] {
  const text = prose.replaceAll(/`[^`\n]*`/g, '');
  return [/\]\(([^()\s]+)(?:\s+"[^"]*")?\)/g, /^\[[^\]]+\]:\s*(\S+)/gm, /\b(?:src|href)="([^"]+)"/g].flatMap(
    (pattern) => [...text.matchAll(pattern)].map(([, target = '']) => target),
  );
}

/** Anchors of the headings, as GitHub makes them. */
export function anchorsOf({ prose }: Page): Set<string> {
  const seen = new Map<string, number>();
  const anchors = [...prose.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading = '']) => {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_\- ]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
  return new Set(anchors);
}

/** The part of a page below the heading that is exactly `heading`, up to the next one of its level or above. */
export function sectionOf({ text }: Page, heading: string): string | undefined {
  const lines = text.split('\n');
  const start = lines.indexOf(heading);
  if (start === -1) return undefined;
  const level = heading.indexOf(' ');
  const end = lines.findIndex((line, i) => i > start && /^#+ /.test(line) && line.indexOf(' ') <= level);
  return lines.slice(start, end === -1 ? undefined : end).join('\n');
}
