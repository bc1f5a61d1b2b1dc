/** `gateway.listen.tls`: the certificate of the listener. */
import { z } from 'zod';
import { block, RESTART, text } from './parts.js';

export const tls = block(
  RESTART,
  'TLS 1.2 and later on the listening socket. The files are read again when they change.',
  {
    cert: text('the path').describe('PEM file with the certificate and its chain, relative to this file.'),
    key: text('the path').describe('PEM file with the private key.'),
    ca: text('the path')
      .optional()
      .describe('PEM file with the authorities that client certificates are checked against.'),
    clientAuth: z
      .enum(['none', 'request', 'require'])
      .default('none')
      .describe(
        'Client certificates. `request`: one that is shown must be good. `require`: nobody connects without one.',
      ),
  },
);
