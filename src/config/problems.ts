/** Mistakes on their way from where they are found to where people read them. */
import { stripControl } from '../protocol/text.js';
import { formatPath, type Path } from './path.js';
import type { Positions } from './positions.js';
import { lineColumn } from './source.js';
import type { ConfigProblem } from './types.js';

/** A mistake as the checks report it, before it has a place in a file. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
  readonly suggestion?: string;
  /** Whether the key or the value is to be pointed at. */
  readonly at?: 'key' | 'value';
}

/** The text a document came from. */
export interface SourcePlace {
  readonly text: string;
  readonly positions: Positions;
}

/** Findings with line and column, in the order of the file; one a path, the first one found. */
export function placeFindings(findings: readonly Finding[], place: SourcePlace | undefined): ConfigProblem[] {
  const seen = new Set<string>();
  const placed: { problem: ConfigProblem; offset: number }[] = [];
  for (const finding of findings) {
    const path = formatPath(finding.path);
    if (seen.has(path)) continue;
    seen.add(path);
    const offset = place?.positions.find(finding.path, finding.at ?? 'value');
    const spot = place === undefined || offset === undefined ? {} : lineColumn(place.text, offset);
    const suggestion = finding.suggestion === undefined ? {} : { suggestion: stripControl(finding.suggestion, 400) };
    const problem = { path, message: stripControl(finding.message, 400), ...suggestion, ...spot };
    placed.push({ problem, offset: offset ?? -1 });
  }
  return placed.sort((a, b) => a.offset - b.offset).map(({ problem }) => problem);
}

/** For people: one block a problem, `file:line:column` first so that editors and terminals can jump there. */
export function renderProblems(problems: readonly ConfigProblem[], file: string | null): string {
  const name = stripControl(file ?? 'configuration');
  return problems
    .map((problem) => {
      const place = problem.line === undefined ? name : `${name}:${problem.line}:${problem.column ?? 1}`;
      const subject = problem.path === '' ? '' : `${problem.path}: `;
      const lines = [place, `  ${subject}${problem.message}`];
      if (problem.excerpt !== undefined) lines.push(...problem.excerpt.split('\n').map((line) => `    ${line}`));
      if (problem.suggestion !== undefined) lines.push(`  → ${problem.suggestion}`);
      return lines.join('\n');
    })
    .join('\n\n');
}

/** The same for scripts: one JSON object, `{file, problems: [...]}`. */
export function renderProblemsJson(problems: readonly ConfigProblem[], file: string | null): string {
  return JSON.stringify({ file, problems }, null, 2);
}
