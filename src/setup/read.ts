/** The file of a client: its servers, and what it would ask its user. Pure but for `readClientFile`. */
import { readFile } from 'node:fs/promises';
import { isRecord } from '../config/path.js';
import { formatOf, lineColumn, readSource } from '../config/source.js';
import type { Question } from './entry.js';
import type { ClientFile } from './plan.js';

export interface ClientServers {
  readonly servers: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly questions: ReadonlyMap<string, Question>;
  readonly trouble: string | null;
}

/** `undefined` when there is no such file. */
export async function readClientFile(file: ClientFile, directory: string): Promise<ClientServers | undefined> {
  try {
    return parseClientFile(await readFile(file.path, 'utf8'), file, directory);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : troubled(`it cannot be read (${code})`);
  }
}

export function parseClientFile(text: string, file: ClientFile, directory: string): ClientServers {
  const { value, errors } = readSource(text, formatOf(file.path, text));
  const [error] = errors;
  if (error !== undefined) {
    const { line, column } = lineColumn(text, error.offset);
    return troubled(`line ${line}, column ${column}: ${error.message}`);
  }
  if (!isRecord(value)) return troubled('it is no object');
  // Claude Code keeps those of all projects in one file; VS Code may keep them below `mcp` of its settings.
  const projects = isRecord(value['projects']) ? value['projects'][directory] : undefined;
  const blocks = [value, value['mcp'], projects].filter(isRecord);
  const servers = new Map<string, Readonly<Record<string, unknown>>>();
  for (const block of blocks) {
    for (const group of [block['mcpServers'], block['servers']]) {
      if (!isRecord(group)) continue;
      for (const [name, entry] of Object.entries(group)) if (isRecord(entry)) servers.set(name, entry);
    }
  }
  const inputs = blocks.flatMap((block) => (Array.isArray(block['inputs']) ? (block['inputs'] as unknown[]) : []));
  return { servers, questions: new Map(inputs.flatMap(question)), trouble: null };
}

function question(input: unknown): readonly (readonly [string, Question])[] {
  if (!isRecord(input) || typeof input['id'] !== 'string') return [];
  const { id, description, default: fallback } = input;
  return [
    [
      id,
      {
        description: typeof description === 'string' ? description : null,
        fallback: typeof fallback === 'string' && fallback !== '' ? fallback : null,
      },
    ],
  ];
}

function troubled(trouble: string): ClientServers {
  return { servers: new Map(), questions: new Map(), trouble };
}
