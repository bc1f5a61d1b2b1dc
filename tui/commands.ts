/**
 * What an operator may do from the dashboard: a key on a row, or a line typed after `:`. Pure: it says which admin request
 * that is, and what has to be asked before. The app sends it.
 */
import type { AdminMethod, ConnectionSnapshot, GatewaySnapshot } from '#src/admin/protocol.js';
import { findNode } from '#src/admin/view/nodes.js';
import type { PageId } from './page.js';

export interface Command {
  /** What it does, in the infinitive: `disable upstream "memory"`. */
  readonly title: string;
  readonly method: AdminMethod;
  readonly params: Readonly<Record<string, unknown>>;
  /** Takes something from somebody: asked before. */
  readonly destructive: boolean;
}

export type Typed = { readonly command: Command } | { readonly error: string } | { readonly quit: true };

/** The command of a key on the chosen row; `undefined` when the key has none there. */
export function commandOf(
  key: string,
  page: PageId,
  chosen: string | null,
  snapshot: GatewaySnapshot,
  connections: readonly ConnectionSnapshot[],
): Command | undefined {
  if (key === 'd' && page === 'overview') return drain();
  if (chosen === null) return undefined;
  if (key === 'R' && page === 'tree') return restartOf(chosen, snapshot);
  if (key === 'K' && page === 'tree') return kill(chosen);
  if (key === 'a' && page === 'alarms') return acknowledge(Number(chosen));
  if (key === 'd' && page === 'connections')
    return drainSession(connections.find(({ actor }) => actor === chosen)?.sessionId ?? null);
  if (page !== 'upstreams') return undefined;
  if (key === 'd') return drainUpstream(chosen);
  if (key === 'R') return send(`upstream:${chosen}`, 'reconnect', {}, `reconnect upstream "${chosen}"`);
  if (key !== 'x') return undefined;
  const off = snapshot.upstreams.find(({ name }) => name === chosen)?.state === 'disabled';
  return send(
    `upstream:${chosen}`,
    off ? 'enable' : 'disable',
    {},
    `${off ? 'enable' : 'disable'} upstream "${chosen}"`,
    !off,
  );
}

/** Commands of the line, for its help. */
export const COMMANDS: readonly (readonly [string, string])[] = [
  ['drain [ms]', 'stop the gateway without losing work'],
  ['restart ACTOR', 'end an actor; its supervisor starts it again'],
  ['kill ACTOR', 'end an actor for good'],
  ['start ACTOR', 'start one that was ended for good'],
  ['send ACTOR MESSAGE [JSON]', 'an admin message'],
  ['ack ID', 'acknowledge an alarm'],
  ['mode normal|conserve|lockdown', 'mode of admission'],
  ['q', 'leave'],
];

export function parseCommand(text: string): Typed {
  const [verb = '', ...rest] = text.trim().split(/\s+/);
  const [first, second] = rest;
  switch (verb) {
    case 'q':
    case 'quit':
      return { quit: true };
    case 'drain': {
      const timeoutMs = first === undefined ? undefined : Number(first);
      if (timeoutMs !== undefined && !(Number.isInteger(timeoutMs) && timeoutMs >= 0))
        return { error: 'drain takes a number of milliseconds' };
      return { command: drain(timeoutMs) };
    }
    case 'restart':
      return first === undefined ? { error: 'restart which actor?' } : { command: restart(first) };
    case 'start':
      return first === undefined
        ? { error: 'start which actor?' }
        : {
            command: { title: `start ${first} again`, method: 'restart', params: { actor: first }, destructive: false },
          };
    case 'kill':
      return first === undefined ? { error: 'kill which actor?' } : { command: kill(first) };
    case 'ack':
      return /^\d+$/.test(first ?? '')
        ? { command: acknowledge(Number(first)) }
        : { error: 'ack takes the number of an alarm' };
    case 'mode':
      if (first !== 'normal' && first !== 'conserve' && first !== 'lockdown')
        return { error: 'mode is normal, conserve or lockdown' };
      return {
        command: {
          title: `set the mode to ${first}`,
          method: 'policy-mode',
          params: { mode: first },
          destructive: first !== 'normal',
        },
      };
    case 'send':
      return first === undefined || second === undefined
        ? { error: 'send ACTOR MESSAGE [JSON]' }
        : typedSend(first, second, rest.slice(2).join(' '));
    default:
      return { error: `there is no command "${verb}"; ? lists them` };
  }
}

function typedSend(actor: string, message: string, args: string): Typed {
  if (args === '') return { command: send(actor, message, {}, `send ${message} to ${actor}`) };
  try {
    return { command: send(actor, message, JSON.parse(args) as unknown, `send ${message} to ${actor}`) };
  } catch {
    return { error: 'the arguments are no JSON' };
  }
}

function drain(timeoutMs?: number): Command {
  const params = timeoutMs === undefined ? {} : { timeoutMs };
  return {
    title: 'drain the gateway: no newcomers, work in flight finishes, then it stops',
    method: 'drain',
    params,
    destructive: true,
  };
}

function drainUpstream(name: string): Command {
  return {
    title: `drain upstream "${name}": its work in flight finishes, new calls are refused`,
    method: 'drain',
    params: { target: { kind: 'upstream', name } },
    destructive: true,
  };
}

/** `undefined`: it has no session that could be drained. */
function drainSession(id: string | null): Command | undefined {
  if (id === null) return undefined;
  return {
    title: `drain session ${id}: its calls are answered, then it is closed`,
    method: 'drain',
    params: { target: { kind: 'session', id } },
    destructive: true,
  };
}

/** One that runs is killed, and its supervisor starts it again; one that was stopped for good is started. */
function restartOf(actor: string, snapshot: GatewaySnapshot): Command {
  if (findNode(snapshot.tree, actor)?.state !== 'stopped') return restart(actor);
  return { title: `start ${actor} again`, method: 'restart', params: { actor }, destructive: true };
}

function restart(actor: string): Command {
  return {
    title: `restart ${actor}: it is killed, and its supervisor does what its restart type says`,
    method: 'kill',
    params: { actor },
    destructive: true,
  };
}

function kill(actor: string): Command {
  return {
    title: `kill ${actor} for good: it stays away until somebody starts it again`,
    method: 'kill',
    params: { actor, forGood: true },
    destructive: true,
  };
}

/** A message without arguments, from the list of those that an actor takes. */
export function messageCommand(actor: string, message: string): Command {
  return send(actor, message, {}, `send ${message} to ${actor}`);
}

function acknowledge(id: number): Command {
  return { title: `acknowledge alarm ${id}`, method: 'ack', params: { id }, destructive: false };
}

function send(actor: string, message: string, args: unknown, title: string, destructive = true): Command {
  return { title, method: 'send', params: { actor, message, args }, destructive };
}
