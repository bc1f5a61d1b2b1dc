/**
 * `viable __complete`: what could be typed next, for the scripts of `viable completion`.
 *
 * Follows the command tree as commander parses it, so that no command has to be listed twice. Names of upstreams, actors,
 * sessions and the like are asked of the gateway that runs; without one there are none.
 */
import type { Argument, Command, Option } from 'commander';
import { treePaths } from '../admin/suggest.js';
import { plainText, span } from '../admin/view/line.js';
import { withGateway, type CliIo, type GlobalOptions } from './context.js';

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

/** `files`: the shell knows better. */
export type Completion = readonly Candidate[] | 'files';

type Lookup = (io: CliIo, options: GlobalOptions, words: readonly string[]) => Promise<readonly Candidate[]>;
type Source = Lookup | 'files' | 'nothing';

const upstreams: Lookup = async (io, options) =>
  (await withGateway(io, options, (client) => client.request('upstreams'))).map(({ name, state }) => ({
    value: name,
    description: state,
  }));

const connections = async (io: CliIo, options: GlobalOptions) =>
  await withGateway(io, options, (client) => client.request('connections'));

const sessions: Lookup = async (io, options) =>
  (await connections(io, options)).flatMap(({ sessionId, client, transport }) =>
    sessionId === null ? [] : [{ value: sessionId, description: `${client ?? ''} ${transport}`.trim() }],
  );

const principals: Lookup = async (io, options) =>
  distinct((await connections(io, options)).flatMap(({ principal }) => (principal === null ? [] : [principal])));

const breakers: Lookup = async (io, options) =>
  (await withGateway(io, options, (client) => client.request('status'))).breakers.map(({ name, state }) => ({
    value: name,
    description: state,
  }));

const alarms: Lookup = async (io, options) =>
  (await withGateway(io, options, (client) => client.request('alarms'))).active.map(({ id, message }) => ({
    value: String(id),
    description: message,
  }));

const tools: Lookup = async (io, options) =>
  (await withGateway(io, options, (client) => client.request('tools'))).map(({ name, state }) => ({
    value: name,
    description: state,
  }));

/** By the shortest end of their paths that is unique. */
const actors: Lookup = async (io, options) =>
  endings(treePaths(await withGateway(io, options, (client) => client.request('tree'))));

/** Also by their supervisors, which stand for them: `upstream:memory` for its `lifecycle`. */
const receivers: Lookup = async (io, options) => {
  const found = await withGateway(io, options, (client) => client.request('actors'));
  const parents = found.map(({ path }) => path.slice(0, path.lastIndexOf('/'))).filter((path) => path !== '');
  return endings([...new Set([...found.map(({ path }) => path), ...parents])]);
};

const listeners: Lookup = async (io, options) =>
  treePaths(await withGateway(io, options, (client) => client.request('tree')))
    .filter((path) => /^\/front\/listeners\/[^/]+$/.test(path))
    .map((path) => ({ value: path.slice(path.lastIndexOf('/') + 1), description: path }));

const messages: Lookup = async (io, options, [name = '']) => {
  const all = await withGateway(io, options, (client) => client.request('actors'));
  const found = all.filter(
    ({ path }) => path === name || [`/${name}/`, `:${name}/`].some((end) => `${path}/`.includes(end)),
  );
  return found.flatMap((actor) => actor.messages.map((each) => ({ value: each.name, description: each.description })));
};

/** Of arguments, by command and name, and of options. Those with a fixed set of words need no line here. */
export const SOURCES: Readonly<Record<string, Source>> = {
  'send actor': receivers,
  'send message': messages,
  'send values': 'nothing',
  'kill actor': actors,
  'restart actor': actors,
  'ack id': alarms,
  'breaker show name': breakers,
  'breaker open name': breakers,
  'breaker half-open name': breakers,
  'breaker close name': breakers,
  'tools diff name': tools,
  'tools accept name': tools,
  'upstream login server': upstreams,
  'audit verify file': 'files',
  'audit tail file': 'files',
  'sampling rate': 'nothing',
  'token create subject': 'nothing',
  'token verify token': 'nothing',
  'token refresh token': 'nothing',
  'token revoke token': 'nothing',
  '--upstream': upstreams,
  '--server': upstreams,
  '--session': sessions,
  '--principal': principals,
  '--listener': listeners,
  '--tool': tools,
  '--socket': 'files',
  '--config': 'files',
  '--output': 'files',
  '--secrets': 'files',
  '--from': 'files',
  '--exec': 'files',
  '--jwks': 'files',
};

/** @param words those after `viable`; the last one is being typed, and may be empty */
export async function complete(program: Command, words: readonly string[], io: CliIo): Promise<Completion> {
  const typed = words.at(-1) ?? '';
  const place = follow(program, words.slice(0, -1));
  const joined = /^(--[\w-]+)=(.*)$/s.exec(typed);
  const named = joined === null ? place.option : optionOf(place.command, joined[1] ?? '');
  const prefix = joined === null ? typed : (joined[2] ?? '');
  const found = await candidates(place, named, prefix, io);
  if (found === 'files') return found;
  const fitting = found.filter(({ value }) => value.startsWith(prefix));
  return joined === null ? fitting : fitting.map((each) => ({ ...each, value: `${joined[1] ?? ''}=${each.value}` }));
}

/** One a line, what it means behind a tab; `:files` for the names of files. */
export function completionText(found: Completion): string {
  if (found === 'files') return ':files\n';
  const line = (text: string): string => plainText([span(text)]);
  return found.map(({ value, description }) => `${line(value)}\t${line(description)}\n`).join('');
}

interface Place {
  readonly command: Command;
  /** The names of the command, without `viable`. */
  readonly path: readonly string[];
  /** Operands that are there already. */
  readonly operands: readonly string[];
  /** The option whose value is being typed. */
  readonly option: Option | undefined;
  readonly used: ReadonlySet<Option>;
  readonly globals: GlobalOptions;
}

function follow(program: Command, words: readonly string[]): Place {
  let command = program;
  let option: Option | undefined;
  let globals: GlobalOptions = {};
  const path: string[] = [];
  const operands: string[] = [];
  const used = new Set<Option>();
  for (const word of words) {
    if (option !== undefined) {
      if (option.long === '--socket') globals = { ...globals, socket: word };
      if (option.long === '--port') globals = { ...globals, port: Number(word) };
      option = undefined;
      continue;
    }
    const named = word.startsWith('-') ? optionOf(command, word.split('=')[0] ?? word) : undefined;
    if (named !== undefined) {
      used.add(named);
      // A value that may be left out is not waited for: what follows is more often the next word.
      if (named.required && !word.includes('=')) option = named;
      continue;
    }
    const child = operands.length === 0 ? childOf(command, word) : undefined;
    if (child === undefined) operands.push(word);
    else {
      command = child;
      path.push(child.name());
    }
  }
  return { command, path, operands, option, used, globals };
}

async function candidates(
  { command, path, operands, used, globals }: Place,
  option: Option | undefined,
  typed: string,
  io: CliIo,
): Promise<Completion> {
  if (option !== undefined) return await values(option.argChoices, SOURCES[option.long ?? ''], io, globals, operands);
  if (typed.startsWith('-')) return options(command, used);
  const children = operands.length === 0 ? commands(command) : [];
  const argument = argumentAt(command, operands.length);
  if (argument === undefined) return children;
  const source = SOURCES[[...path, argument.name()].join(' ')];
  const found = await values(argument.argChoices, source, io, globals, operands);
  return found === 'files' ? found : [...children, ...found];
}

async function values(
  choices: readonly string[] | undefined,
  source: Source | undefined,
  io: CliIo,
  globals: GlobalOptions,
  operands: readonly string[],
): Promise<Completion> {
  if (choices !== undefined) return distinct(choices);
  if (source === 'files') return source;
  if (source === undefined || source === 'nothing') return [];
  try {
    return await source(io, globals, operands);
  } catch {
    // Nothing is said into a line that is being typed: no gateway, no names.
    return [];
  }
}

function argumentAt(command: Command, index: number): Argument | undefined {
  const all = command.registeredArguments;
  const last = all.at(-1);
  return all[index] ?? (last?.variadic === true ? last : undefined);
}

function commands(command: Command): readonly Candidate[] {
  const own = command.commands.map((child) => ({ value: child.name(), description: child.description() }));
  return own.length === 0 ? [] : [...own, { value: 'help', description: 'display help for a command' }];
}

function childOf(command: Command, word: string): Command | undefined {
  return command.commands.find((child) => child.name() === word || child.aliases().includes(word));
}

/** Long names; those that were given already go, unless they may be repeated. */
function options(command: Command, used: ReadonlySet<Option>): readonly Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter((option) => option.long !== undefined && (option.variadic || !used.has(option)))
    .map((option) => ({ value: option.long ?? '', description: option.description }));
}

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find((option) => option.long === flag || option.short === flag);
}

function distinct(words: readonly string[]): readonly Candidate[] {
  return [...new Set(words)].map((value) => ({ value, description: '' }));
}

function endings(paths: readonly string[]): readonly Candidate[] {
  const counts = new Map<string, number>();
  const id = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
  for (const path of paths) counts.set(id(path), (counts.get(id(path)) ?? 0) + 1);
  return paths.flatMap((path) => {
    const unique = counts.get(id(path)) === 1;
    // A path is what somebody who has typed a slash goes on with.
    return [...(unique ? [{ value: id(path), description: path }] : []), { value: path, description: '' }];
  });
}
