/**
 * Text that goes to logs, spans and consoles, without the credentials that it may quote: whoever throws an error puts into its
 * message what he was given, and so do servers that write to stderr. Pure.
 *
 * Found are tokens by their form (JWTs), what stands behind `Bearer` or `bearer.`, and the values of parameters and members
 * that are named like a credential. What looks like nothing in particular must be known: see `telemetry/logger.ts`.
 *
 * Every expression scans in linear time.
 */
export const HIDDEN = '[hidden]';

const JWT = /(?<![\w-])eyJ[\w-]+\.[\w-]+(?:\.[\w-]+)*/g;
const BEARER = /(bearer[ .])[\w.~+/=-]+/gi;
const PARAMETER = /([?&](?:token|access_token|refresh_token|ticket|client_secret|code)=)[^&\s"'\\]+/gi;
const MEMBER =
  /("(?:token|access_token|refresh_token|ticket|client_secret|authorization|password)\\?" ?: ?\\?")[^"\\]+/gi;

/** `text` with `[hidden]` where a credential stood. */
export function redact(text: string): string {
  return text
    .replace(JWT, HIDDEN)
    .replace(BEARER, `$1${HIDDEN}`)
    .replace(PARAMETER, `$1${HIDDEN}`)
    .replace(MEMBER, `$1${HIDDEN}`);
}
