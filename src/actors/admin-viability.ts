/** Admin requests that are for the viable system: taking note of alarms, the mode of admission. */
import { type AdminReply } from '../admin/protocol.js';
import { type ActorSystem, ask, toError } from '../kernel/index.js';
import { type AlgedonicMessage, type PolicyMessage } from '../vsm/actors/messages.js';
import { type Alarm } from '../vsm/alarms-model.js';
import { type Mode, type Standing } from '../vsm/policy-model.js';
import { type DataPlane } from './data-plane.js';
import { ALGEDONIC, POLICY } from './names.js';

const ASK_TIMEOUT_MS = 5_000;

export async function acknowledge(system: ActorSystem, id: number, by = 'operator'): Promise<AdminReply> {
  return answered(async () => {
    const noted = await ask<AlgedonicMessage, Alarm | null>(
      system.wheel,
      system.whereis(ALGEDONIC),
      (replyTo) => ({ type: 'alarm/acknowledge', id, by, replyTo }),
      ASK_TIMEOUT_MS,
    );
    if (noted) return { ok: true, result: noted };
    return { ok: false, error: { code: 'unknown_alarm', message: `No alarm that lives has the number ${id}.` } };
  });
}

/** `mode` absent: shows it, which needs nobody alive. */
export async function policyMode(system: ActorSystem, plane: DataPlane, mode: Mode | undefined): Promise<AdminReply> {
  if (mode === undefined) return { ok: true, result: plane.viability.policy };
  return answered(async () => ({
    ok: true,
    result: await ask<PolicyMessage, Standing>(
      system.wheel,
      system.whereis(POLICY),
      (replyTo) => ({ type: 'policy/set-mode', mode, replyTo }),
      ASK_TIMEOUT_MS,
    ),
  }));
}

async function answered(work: () => Promise<AdminReply>): Promise<AdminReply> {
  try {
    return await work();
  } catch (cause) {
    return { ok: false, error: { code: 'actor_unavailable', message: `${toError(cause).message}.` } };
  }
}
