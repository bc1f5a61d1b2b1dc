/**
 * The certificate of the listening socket, from files that others renew. A change is taken over by the next handshake;
 * connections that are open keep what they have. Files that cannot be read or do not fit leave the old ones in use.
 *
 * Source: RFC 8446, RFC 9325 (TLS 1.2 and later). Files are looked at by time, as renewals by link or rename must be seen.
 */
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext, createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';

export interface TlsOptions {
  readonly cert: string;
  readonly key: string;
  readonly ca: string | null;
  readonly clientAuth: 'none' | 'request' | 'require';
}

const HANDSHAKE_TIMEOUT_MS = 10_000;
const LOOK_MS = 1_000;

/**
 * Shakes hands with the sockets that are given to it as `connection`, and hands over those whose handshake is done; it does
 * not listen itself. Throws when the files are no certificate and key.
 */
export function createTlsServer(options: TlsOptions, accept: (socket: TLSSocket) => void): Server {
  const { clientAuth } = options;
  const server = createServer({
    ...readFiles(options),
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ALPNProtocols: ['http/1.1'],
    requestCert: clientAuth !== 'none',
    // With `request` a client without a certificate is let in, one with a bad one is not.
    rejectUnauthorized: clientAuth === 'require',
  });
  server.on('secureConnection', (socket) => {
    socket.setNoDelay(true);
    const shown = clientAuth === 'request' && Object.keys(socket.getPeerCertificate()).length > 0;
    if (shown && !socket.authorized) return void socket.destroy();
    accept(socket);
  });
  server.on('tlsClientError', (_error, socket) => void socket.destroy());
  return server;
}

/** Takes changed files over until the returned function is called. `onChange` hears of each attempt: `null`, or what is wrong. */
export function followFiles(server: Server, options: TlsOptions, onChange: (error: Error | null) => void): () => void {
  const files = [options.cert, options.key, ...(options.ca === null ? [] : [options.ca])];
  const changed = (): void => {
    try {
      server.setSecureContext(readFiles(options));
      onChange(null);
    } catch (cause) {
      // Certificate and key are renewed one after the other: between them they do not fit.
      onChange(cause instanceof Error ? cause : new Error(String(cause)));
    }
  };
  for (const file of files) watchFile(file, { interval: LOOK_MS, persistent: false }, changed);
  return () => {
    for (const file of files) unwatchFile(file, changed);
  };
}

function readFiles({ cert, key, ca }: TlsOptions): SecureContextOptions {
  const options: SecureContextOptions = {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ...(ca !== null && { ca: readFileSync(ca) }),
    minVersion: 'TLSv1.2',
  };
  createSecureContext(options); // throws where they do not fit
  return options;
}
