/** The part of the error catalogue that consoles read on the admin socket. `errors.ts` is the catalogue. */
import { type AdminErrorEntry } from './error-entry.js';

/** What an admin console is told when its request cannot be met. */
export const ADMIN_ERRORS = {
  invalid_request: {
    meaning: 'The line is no admin request.',
    remedy: 'Send {"id": number, "method": string, "params"?: object}, one a line.',
  },
  unknown_method: { meaning: 'There is no admin method of this name.', remedy: 'See `viable --help`.' },
  unknown_actor: { meaning: 'No live actor has this path or name.', remedy: '`viable tree` lists the actors.' },
  ambiguous_actor: {
    meaning: 'Several actors answer to this short name.',
    remedy: 'Give the whole path; the suggestions list them.',
  },
  unknown_message: {
    meaning: 'The actor has no admin message of this name.',
    remedy: '`viable send --list` prints every actor’s messages.',
  },
  invalid_arguments: {
    meaning: 'The arguments do not fit the schema of the method or message.',
    remedy: 'The message names the argument; `viable send --list` prints the schemas.',
  },
  actor_unavailable: {
    meaning: 'The actor died or its mailbox was full before it could answer.',
    remedy: 'Try again; `viable tree` shows its state and last fault.',
  },
  actor_running: {
    meaning: 'The actor runs: there is nothing to start.',
    remedy: '`viable kill` ends one that runs; its supervisor restarts it.',
  },
  actor_start_failed: {
    meaning: 'The actor could not be started. It stays stopped.',
    remedy: 'The message says why; remove the cause and try again.',
  },
  actor_timeout: {
    meaning: 'The actor did not answer in time. The message may still be handled.',
    remedy: '`viable tree` shows how long its mailbox is.',
  },
  unknown_alarm: { meaning: 'No alarm that lives has this number.', remedy: '`viable alarms` lists them.' },
  feature_unavailable: {
    meaning: 'The feature cannot be switched, or is switched off.',
    remedy: 'The message says why; `viable features` lists them.',
  },
  shutting_down: { meaning: 'The gateway stops and takes no such request.', remedy: 'Wait for the successor.' },
  internal_error: { meaning: 'A defect of the gateway.', remedy: 'Report it with the log lines of that moment.' },
} as const satisfies Record<string, AdminErrorEntry>;

export type AdminErrorName = keyof typeof ADMIN_ERRORS;
