/** `gateway.listen.tls`: the certificate of the listener. */
import { z } from 'zod';
import { block, RESTART, text } from './parts.js';

const file = (description: string) => text('the path').nullable().default(null).describe(description);

export const tls = block(RESTART, 'TLS 1.2 and later on the listening socket.', {
  cert: file(
    'PEM file with the certificate and its chain, relative to this file; read again when it changes. `null`: plain HTTP.',
  ),
  key: file('PEM file with the private key.'),
  ca: file('PEM file with the authorities that client certificates are checked against.'),
  clientAuth: z
    .enum(['none', 'request', 'require'])
    .default('none')
    .describe(
      'Client certificates. `request`: one that is shown must be good. `require`: nobody connects without one.',
    ),
});
