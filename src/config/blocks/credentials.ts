/** `gateway.credentials`: where tokens of upstreams are kept. */
import { block, RESTART, text } from './parts.js';

export const credentials = block(RESTART, 'Tokens that authorization servers of upstreams have given to the gateway.', {
  file: text('the path')
    .nullable()
    .default(null)
    .describe('Kept with mode 0600. `null`: `viable/credentials.json` in `$XDG_STATE_HOME`, or in `~/.local/state`.'),
});
