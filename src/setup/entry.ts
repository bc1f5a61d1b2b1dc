/**
 * One server as a client wrote it → as this gateway reads it: other names of keys, variables that editors know, questions
 * that they ask, relative paths. Pure. What does not go over is noted.
 */
import path from 'node:path';
import { IGNORED_SERVER_KEYS } from '../config/client-keys.js';
import { isRecord } from '../config/path.js';
import { variableName } from './secrets.js';

type Entry = Readonly<Record<string, unknown>>;

/** What a client asks its user, by id. */
export interface Question {
  readonly description: string | null;
  readonly fallback: string | null;
}

export interface EntryContext {
  /** As the client calls it. */
  readonly name: string;
  readonly questions: ReadonlyMap<string, Question>;
  /** The folder of the project; `null` for a person's own file. */
  readonly project: string | null;
}

export interface Translated {
  /** `null`: nothing to import. */
  readonly entry: Entry | null;
  readonly notes: readonly string[];
  /** Ids of questions that it needs an answer of. */
  readonly asked: readonly string[];
}

const KEPT = ['command', 'args', 'env', 'cwd', 'url', 'type', 'headers', 'disabled', 'viable'] as const;
/** Other names of the same. */
const RENAMED: Readonly<Record<string, string>> = { serverUrl: 'url', httpUrl: 'url', transport: 'type' };
const FILTERS: Readonly<Record<string, 'allow' | 'deny'>> = {
  tools: 'allow',
  includeTools: 'allow',
  disabledTools: 'deny',
  excludeTools: 'deny',
};

export function translate(source: Entry, context: EntryContext): Translated {
  const { name } = context;
  if (isThisGateway(source)) return { entry: null, notes: [`${name} was left out: it is this gateway`], asked: [] };
  const notes: string[] = [];
  const result: Record<string, unknown> = {};
  const viable: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(source)) {
    const filter = FILTERS[key];
    const kept = RENAMED[key] ?? key;
    if ((KEPT as readonly string[]).includes(kept)) result[kept] = value;
    else if (key === 'enabled' || key === 'isActive') result['disabled'] = value === false;
    else if (filter !== undefined && isStrings(value)) {
      if (!value.includes('*') || filter === 'deny') viable[filter] = value;
    } else notes.push(leftOut(name, key));
  }
  if (isRecord(result['viable'])) Object.assign(viable, result['viable']);
  if (Object.keys(viable).length > 0) result['viable'] = viable;
  if (result['disabled'] === false) delete result['disabled'];
  if (result['command'] === undefined && result['url'] === undefined)
    return { entry: null, notes: [`${name} was left out: it has neither command nor url`], asked: [] };
  const asked = new Set<string>();
  const entry = walk(result, (text) => variables(text, context, asked)) as Record<string, unknown>;
  return { entry: anchored(entry, context.project), notes, asked: [...asked] };
}

/** The variable that takes the place of a question's answer. */
export function answerVariable(id: string): string {
  return variableName(id);
}

function leftOut(server: string, key: string): string {
  const known = IGNORED_SERVER_KEYS.find((each) => each.key === key);
  if (known === undefined) return `${server}.${key} was left out: it is not known`;
  const hint = known.hint === undefined ? '' : ` ${known.hint}`;
  return `${server}.${key} was left out: a setting of ${known.client}.${hint}`.replace(/\.$/, '');
}

/** A gateway that served itself would call itself for ever. */
function isThisGateway({ command, args }: Entry): boolean {
  const words = [command, ...(Array.isArray(args) ? (args as unknown[]) : [])].filter(
    (word) => typeof word === 'string',
  );
  const names = words.map((word) => path.basename(word));
  return (
    names.includes('stdio') && (names.includes('viable') || names.some((word) => word.startsWith('viable-gateway')))
  );
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((word) => typeof word === 'string');
}

/** `${env:NAME}`, `${input:id}`, `${userHome}`, `${workspaceFolder}` of VS Code and Cursor. */
function variables(text: string, { questions, project }: EntryContext, asked: Set<string>): string {
  return text.replaceAll(/\$\{([\w:./-]{1,100})\}/g, (whole, name: string) => {
    if (name.startsWith('env:')) return `\${${name.slice(4)}}`;
    if (name.startsWith('input:')) {
      const id = name.slice(6);
      asked.add(id);
      const fallback = questions.get(id)?.fallback ?? null;
      return fallback === null || /[{}]/.test(fallback)
        ? `\${${answerVariable(id)}}`
        : `\${${answerVariable(id)}:-${fallback}}`;
    }
    if (name === 'userHome') return '${HOME}';
    if (name === 'pathSeparator' || name === '/') return path.sep;
    if (project === null) return whole;
    if (name === 'workspaceFolder') return project;
    return name === 'workspaceFolderBasename' ? path.basename(project) : whole;
  });
}

/** A project's server is started in its folder. */
function anchored(entry: Record<string, unknown>, project: string | null): Entry {
  const { command, args, cwd } = entry;
  if (project === null || typeof command !== 'string') return entry;
  const relative = (word: unknown): boolean => typeof word === 'string' && /^\.{1,2}(?:[/\\]|$)/.test(word);
  const words = Array.isArray(args) ? (args as unknown[]) : [];
  const folder = typeof cwd === 'string' ? path.resolve(project, cwd) : project;
  return {
    ...entry,
    ...(relative(command) && { command: path.resolve(folder, command) }),
    ...((cwd !== undefined || words.some(relative)) && { cwd: folder }),
  };
}

function walk(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => walk(item, change));
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, change)]));
  return value;
}
