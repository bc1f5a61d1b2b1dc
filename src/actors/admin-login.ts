/** What the admin endpoint answers to a person who logs in at an upstream's authorization server. */
import { type AdminReply } from '../admin/protocol.js';
import { type AdminParams } from '../admin/requests.js';
import { type UpstreamCredential } from '../credentials/credential.js';
import { type ActorSystem, toError } from '../kernel/index.js';
import { upstreamLifecycle } from './names.js';

export type LoginParams = AdminParams<'login-begin'> | AdminParams<'login-finish'>;

export async function answerLogin(
  method: 'login-begin' | 'login-finish',
  params: LoginParams,
  credential: UpstreamCredential | undefined,
  system: ActorSystem,
): Promise<AdminReply> {
  const { server, state } = params;
  if (!credential) return refuse(`"${server}" is no server with viable.auth.`);
  try {
    if ('redirectUri' in params)
      return { ok: true, result: { url: await credential.login(params.redirectUri, state) } };
    await credential.finishLogin(state, params.code, params.iss);
    system.tell(upstreamLifecycle(server), { type: 'upstream/reconnect' });
    return { ok: true, result: { loggedIn: server } };
  } catch (cause) {
    return refuse(
      `${method === 'login-begin' ? 'The login cannot begin' : 'The login failed'}: ${toError(cause).message}`,
    );
  }
}

function refuse(message: string): AdminReply {
  return { ok: false, error: { code: 'login_failed', message } };
}
