/** From the files of MCP clients to one configuration: read, translated, named apart, without secrets. */
import { homedir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { loadConfig, renderProblems } from '../config/index.js';
import { answerVariable, translate } from './entry.js';
import { clientOf, projectOf, usualPlaces } from './places.js';
import {
  CLIENT_NAMES,
  type ClientFile,
  type PlannedServer,
  type ReadFile,
  type SetupPlan,
  type SetupRequest,
  type WantedVariable,
} from './plan.js';
import { readClientFile, type ClientServers } from './read.js';
import { renderJson, renderYaml, type RenderedServer } from './render.js';
import { variableName, withoutSecrets } from './secrets.js';

type Env = Readonly<Record<string, string | undefined>>;
type Entry = Readonly<Record<string, unknown>>;

export async function planSetup(request: SetupRequest, env: Env): Promise<SetupPlan> {
  const { files, directory } = request;
  const home = homedir();
  const wanted: readonly ClientFile[] =
    files?.map((file) => ({ client: clientOf(file), path: file })) ??
    usualPlaces({ platform: process.platform, home, env, directory });
  const maker = new Maker(home, env);
  const read: ReadFile[] = [];
  for (const file of wanted) {
    const found = await readClientFile(file, directory);
    if (found === undefined && files === null) continue;
    if (found !== undefined) maker.add(file, found);
    const trouble = found === undefined ? 'there is no such file' : found.trouble;
    read.push({ ...file, servers: [...(found?.servers.keys() ?? [])], trouble });
  }
  return maker.plan(read, request.output);
}

/** Whether the written file is one that the gateway takes, with any value for what is not set; else what is wrong with it. */
export async function checkSetup(file: string, variables: readonly WantedVariable[], env: Env): Promise<string | null> {
  const set = Object.fromEntries(variables.map(({ name, value }) => [name, env[name] ?? value ?? 'to-be-set']));
  const loaded = await loadConfig({ file, env: { ...env, ...set } });
  return loaded.ok ? null : renderProblems(loaded.problems, file);
}

interface Taken extends PlannedServer {
  readonly entry: Entry;
}

/** Gathers servers; the first to have a name keeps it. */
class Maker {
  readonly #home: string;
  readonly #env: Env;
  readonly #servers = new Map<string, Taken>();
  readonly #variables = new Map<string, WantedVariable>();
  readonly #notes: string[] = [];

  constructor(home: string, env: Env) {
    this.#home = home;
    this.#env = env;
  }

  add(file: ClientFile, { servers, questions }: ClientServers): void {
    const project = projectOf(file.path, this.#home);
    for (const [name, source] of servers) {
      const { entry, notes, asked } = translate(source, { name, questions, project });
      this.#notes.push(...notes.map((note) => `${this.#short(file.path)}: ${note}`));
      if (entry === null) continue;
      const where = `${this.#short(file.path)}: ${name}`;
      const twin = [...this.#servers.values()].find((known) => isDeepStrictEqual(known.entry, entry));
      if (twin !== undefined) {
        this.#notes.push(`${where} is the same server as ${twin.name} of ${CLIENT_NAMES[twin.client]}: taken once`);
        continue;
      }
      const own = this.#nameOf(name, file, where);
      this.#servers.set(own, { name: own, client: file.client, path: file.path, entry });
      for (const id of asked) {
        const { description = null, fallback = null } = questions.get(id) ?? {};
        if (fallback === null) this.#want({ name: answerVariable(id), from: where, value: null, description });
      }
    }
  }

  plan(files: readonly ReadFile[], output: string): SetupPlan {
    const servers = [...this.#servers.values()].map((taken) => ({ ...taken, entry: this.#withoutSecrets(taken) }));
    const variables = [...this.#variables.values()];
    const rendered: RenderedServer[] = servers.map(({ name, client, path: file, entry }) => ({
      name,
      entry,
      comment: `From ${CLIENT_NAMES[client]}, ${this.#short(file)}`,
    }));
    return {
      files: files.map((file) => ({ ...file, path: this.#short(file.path) })),
      servers: servers.map(({ name, client, path: file }) => ({ name, client, path: this.#short(file) })),
      variables,
      notes: this.#notes,
      yaml: renderYaml(rendered, variables, output),
      json: renderJson(rendered),
    };
  }

  /** Secrets as references. A variable that means something else already gets the name of the server before it. */
  #withoutSecrets({ name, path: file, entry }: Taken): Entry {
    const { entry: clean, secrets } = withoutSecrets(name, entry);
    const renamed = new Map<string, string>();
    for (const { where, variable, value } of secrets) {
      const known = this.#variables.get(variable);
      const free = known === undefined || known.value === value ? variable : variableName(name, variable);
      if (free !== variable) renamed.set(variable, free);
      this.#want({ name: free, from: `${this.#short(file)}: ${name}.${where}`, value, description: null });
    }
    const text = JSON.stringify(clean).replaceAll(/\$\{(\w+)\}/g, (whole, variable: string) => {
      const other = renamed.get(variable);
      return other === undefined ? whole : `\${${other}}`;
    });
    // What the client took from its own environment must be in the gateway's.
    for (const [, variable = ''] of text.matchAll(/\$\{([A-Za-z_]\w*)\}/g)) {
      if (this.#env[variable] === undefined)
        this.#want({ name: variable, from: `${this.#short(file)}: ${name}`, value: null, description: null });
    }
    return JSON.parse(text) as Entry;
  }

  #want(variable: WantedVariable): void {
    if (!this.#variables.has(variable.name)) this.#variables.set(variable.name, variable);
  }

  #nameOf(name: string, { client }: ClientFile, where: string): string {
    const tidy = tidyName(name);
    if (tidy !== name) this.#notes.push(`${where} is called ${tidy}: its name goes into addresses and names of tools`);
    if (!this.#servers.has(tidy)) return tidy;
    const candidates = [`${tidy}-${client}`, ...Array.from({ length: 98 }, (_, i) => `${tidy}-${i + 2}`)];
    const free = candidates.find((candidate) => !this.#servers.has(candidate)) ?? `${tidy}-${this.#servers.size}`;
    const first = this.#servers.get(tidy)?.path ?? '';
    this.#notes.push(`${where} is called ${free}: ${this.#short(first)} has another server called ${tidy}`);
    return free;
  }

  #short(file: string): string {
    const relative = path.relative(this.#home, file);
    return relative.startsWith('..') || path.isAbsolute(relative) ? file : path.join('~', relative);
  }
}

/** Letters, digits, `.`, `_` and `-`, in at most 48 characters. */
export function tidyName(name: string): string {
  const tidy = name
    .trim()
    .replaceAll(/[^\p{L}\p{N}._-]+/gu, '-')
    .slice(0, 48)
    .replaceAll(/^[-.]|[-.]$/g, '');
  return tidy === '' ? 'server' : tidy;
}
