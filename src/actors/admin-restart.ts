/** The admin request `restart`: starts what an operator has stopped for good. */
import { type AdminReply } from '../admin/protocol.js';
import { type ActorSystem, type StartAgain } from '../kernel/index.js';
import { type Logger } from '../telemetry/logger.js';

/** An init that takes longer goes on; whoever asked is told so. */
const TIMEOUT_MS = 5_000;

export async function restartActor(system: ActorSystem, path: string, log: Logger): Promise<AdminReply> {
  const how = await withinTime(system, system.startAgain(path));
  if (how === 'late') return refuse('actor_timeout', `${path} is still starting.`);
  if (how.ok) {
    log.warn({ event: 'started_again', actor: path }, `started again by an operator: ${path}`);
    return { ok: true, result: { restarted: path } };
  }
  switch (how.why) {
    case 'running':
      return refuse('actor_running', `${path} runs.`);
    case 'no_place':
      return refuse(
        'actor_unavailable',
        `Nobody keeps a place for ${path}: its supervisor starts it, or does not run.`,
      );
    case 'start_failed':
      return refuse('actor_start_failed', `${path} could not be started: ${how.error.message}.`);
  }
}

function withinTime(system: ActorSystem, starting: Promise<StartAgain>): Promise<StartAgain | 'late'> {
  return new Promise((resolve) => {
    const timer = system.clock.after(TIMEOUT_MS, () => resolve('late'));
    void starting.then((how) => {
      timer.cancel();
      resolve(how);
    });
  });
}

function refuse(code: string, message: string): AdminReply {
  return { ok: false, error: { code, message } };
}
