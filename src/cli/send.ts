/** `viable send`: an admin message to one actor, its answer printed. */
import type { Command } from 'commander';
import type { AdminActor } from '../admin/protocol.js';
import { line, span, type Line } from '../admin/view/line.js';
import { resolveActor } from './actors.js';
import { printJson, printLines, UsageError, withGateway, type CliIo, type GlobalOptions } from './context.js';

interface SendOptions extends GlobalOptions {
  readonly list?: boolean;
  readonly args?: string;
}

const EXAMPLES = `
Values are read as JSON where they are JSON (true, 12, null, "…"), and as text otherwise.

Examples:
  viable send --list
  viable send upstream:memory reconnect
  viable send drain begin timeoutMs=10000
  viable send drain begin --args '{"timeoutMs": 10000}'`;

export function addSend(program: Command, io: CliIo): void {
  program
    .command('send')
    .description('send an admin message to an actor and print its answer')
    .argument('[actor]', 'a path, a unique id, or the end of a path')
    .argument('[message]', 'name of the message')
    .argument('[values...]', 'arguments of the message as key=value')
    .option('--args <json>', 'arguments as one JSON value')
    .option('--list', 'list the actors that take admin messages, and the messages')
    .addHelpText('after', EXAMPLES)
    .action(async (actor: string | undefined, message: string | undefined, values: string[], _, command: Command) => {
      const options = command.optsWithGlobals<SendOptions>();
      if (options.list === true) {
        await list(io, options, actor);
        return;
      }
      if (actor === undefined || message === undefined) {
        throw new UsageError('Name an actor and a message; `viable send --list` shows both.');
      }
      const args = parseArguments(values, options.args);
      const answer = await withGateway(io, options, async (client) => {
        const path = await resolveActor(client, actor);
        return client.request('send', { actor: path, message, ...(args === undefined ? {} : { args }) });
      });
      printJson(io, answer ?? null);
    });
}

/** Arguments from `key=value` words or from one JSON text; `undefined` when there are none. Throws `UsageError`. */
export function parseArguments(values: readonly string[], json?: string): unknown {
  if (json !== undefined) {
    if (values.length > 0) throw new UsageError('Give the arguments either as key=value or with --args, not both.');
    try {
      return JSON.parse(json) as unknown;
    } catch (error) {
      throw new UsageError(`--args is not JSON: ${error instanceof Error ? error.message : String(error)}.`);
    }
  }
  if (values.length === 0) return undefined;
  const entries = values.map((word): [string, unknown] => {
    const equals = word.indexOf('=');
    if (equals <= 0) throw new UsageError(`Arguments are key=value; ${JSON.stringify(word)} is not.`);
    return [word.slice(0, equals), jsonOrText(word.slice(equals + 1))];
  });
  return Object.fromEntries(entries);
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

async function list(io: CliIo, options: SendOptions, only: string | undefined): Promise<void> {
  const actors = await withGateway(io, options, async (client) => {
    const all = await client.request('actors');
    if (only === undefined) return all;
    const path = await resolveActor(
      client,
      only,
      all.map((actor) => actor.path),
    );
    return all.filter((actor) => actor.path === path);
  });
  if (options.json === true) printJson(io, actors);
  else
    printLines(io, actors.length === 0 ? [[span('No actor takes admin messages.', 'dim')]] : actors.flatMap(describe));
}

function describe(actor: AdminActor): readonly Line[] {
  const messages = actor.messages.map((message) => {
    const names = argumentNames(message.args);
    return line(
      '  ',
      span(message.name, 'accent'),
      ...names.map((name) => ` ${name}=…`),
      span(`  ${message.description}`, 'dim'),
    );
  });
  return [[span(actor.path, 'strong')], ...messages];
}

/** Property names of a JSON Schema, the optional ones in brackets. */
function argumentNames(schema: unknown): readonly string[] {
  if (typeof schema !== 'object' || schema === null || !('properties' in schema)) return [];
  const required = 'required' in schema && Array.isArray(schema.required) ? (schema.required as unknown[]) : [];
  return Object.keys(schema.properties ?? {}).map((name) => (required.includes(name) ? name : `[${name}]`));
}
