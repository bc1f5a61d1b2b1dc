/**
 * What went wrong, as values with one line for people.
 *
 * Invariant: nothing secret reaches a message. URLs lose their user info, query and fragment; of a system or library
 * error only its code is shown, since its text may quote a header or an address.
 */
import { stripControl } from '../../protocol/text.js';
import type { TransportError } from './transport.js';

const MAX_DETAIL_CHARS = 300;

/** The URL without user name, password, query and fragment. Never throws: text that is no URL becomes `<invalid URL>`. */
export function redactUrl(url: string | URL): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return '<invalid URL>';
  }
  const user = parsed.username !== '' || parsed.password !== '' ? '***@' : '';
  const query = parsed.search === '' ? '' : '?***';
  return stripControl(`${parsed.protocol}//${user}${parsed.host}${parsed.pathname}${query}`);
}

/** The code of a Node or undici error, its name when it has none. Safe to show. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'unknown error';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'unknown error';
}

const CONNECT_HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused; is the server running there?',
  ENOTFOUND: 'the host name does not exist; check the URL',
  EAI_AGAIN: 'the host name could not be looked up; check DNS and the network',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'the host cannot be reached from here',
  ENETUNREACH: 'the network cannot be reached from here',
  ETIMEDOUT: 'no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed; trust it with NODE_EXTRA_CA_CERTS',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate chain is self-signed; trust it with NODE_EXTRA_CA_CERTS',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate chain is incomplete or unknown; see NODE_EXTRA_CA_CERTS',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  EPROTO: 'TLS failed; is this an https URL of a plain http server?',
};

/** No connection came about, so nothing was sent. */
export function connectFailed(url: string | URL, error: unknown): TransportError {
  const code = errorCode(error);
  const hint = CONNECT_HINTS[code] ?? code;
  return { kind: 'connect_failed', message: `cannot connect to ${redactUrl(url)}: ${hint}`, unsent: true };
}

/** The connection ended after the request was written: it may or may not have been carried out. */
export function connectionLost(url: string | URL, error: unknown): TransportError {
  return {
    kind: 'closed',
    message: `connection to ${redactUrl(url)} was lost before the answer (${errorCode(error)})`,
  };
}

/** `open` was given up by its caller. */
export function openAborted(what: string): TransportError {
  return { kind: 'timeout', message: `${what} did not open in time`, unsent: true };
}

/** The transport was closed by its owner, or a message came after its end. */
export function closedByUs(): TransportError {
  return { kind: 'closed', message: 'the connection was closed by the gateway', unsent: true };
}

export function tooLarge(what: string, limit: number): TransportError {
  return { kind: 'too_large', message: `${what} is larger than the limit of ${limit} bytes` };
}

/**
 * An HTTP status that is no answer.
 *
 * @param detail what the server said, untrusted; cut and stripped here
 * @param location the Location header of a redirect, which is never followed: its target got no consent to see secrets
 */
export function httpStatus(url: string | URL, status: number, detail: string, location?: string): TransportError {
  const where = redactUrl(url);
  const said = detail === '' ? '' : `: ${stripControl(detail, MAX_DETAIL_CHARS)}`;
  if (status === 401 || status === 403) {
    const hint = status === 401 ? 'check its credentials in the headers' : 'its credentials do not allow this';
    return { kind: 'unauthorized', status, message: `${where} answered ${status}; ${hint}${said}` };
  }
  if (location !== undefined && status >= 300 && status < 400) {
    const target = URL.canParse(location, String(url)) ? redactUrl(new URL(location, url)) : '<invalid URL>';
    return {
      kind: 'http_status',
      status,
      message: `${where} redirects to ${target}; redirects are not followed, set the final URL`,
    };
  }
  return { kind: 'http_status', status, message: `${where} answered ${status}${said}` };
}

/** Statuses with which a server refuses what it does not understand; 404 within a session means that the session is lost. */
const NOT_UNDERSTOOD: readonly number[] = [400, 405, 406, 415];

/** Whether this status, within a session that was going well, may be that of another server at the same address. */
export function castsDoubt(status: number): boolean {
  return NOT_UNDERSTOOD.includes(status);
}

export function sessionLost(url: string | URL): TransportError {
  return { kind: 'session_lost', status: 404, message: `${redactUrl(url)} no longer knows this session` };
}
