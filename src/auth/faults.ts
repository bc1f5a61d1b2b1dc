/** Why a credential was refused: stable words, for counters, logs and library callers. Clients are told no more than `CLIENT_WORDS`. */

export const TOKEN_FAULTS = [
  /** No compact JWS, not canonical base64url, not JSON where it must be. */
  'malformed',
  /** A header member that would bring a key along, or that must be understood and is not. */
  'unsupported_header',
  /** `none`, or an algorithm that no key of the issuer has. */
  'unsupported_algorithm',
  'unknown_key',
  'bad_signature',
  'expired',
  'not_yet_valid',
  /** Of nobody that is configured. */
  'wrong_issuer',
  'wrong_audience',
  /** A claim is missing or of the wrong type: `sub`, `exp`, `iat`, `nbf`, `jti`. */
  'bad_claims',
  'revoked',
  /** A key set cannot be fetched: nothing is known of the token. */
  'keys_unavailable',
  /** Too many tokens are being verified. */
  'busy',
] as const;
/** Why a token was refused, one of `TOKEN_FAULTS`. */
export type TokenFault = (typeof TOKEN_FAULTS)[number];

/** `error_description` of `WWW-Authenticate`. Says nothing that helps to forge. */
export const CLIENT_WORDS: Readonly<Record<TokenFault, string>> = {
  malformed: 'the token is malformed',
  unsupported_header: 'the token is not accepted',
  unsupported_algorithm: 'the token is not accepted',
  unknown_key: 'the token is not accepted',
  bad_signature: 'the token is not accepted',
  expired: 'the token has expired',
  not_yet_valid: 'the token is not valid yet',
  wrong_issuer: 'the token is of another issuer',
  wrong_audience: 'the token is for another audience',
  bad_claims: 'the token lacks a claim',
  revoked: 'the token was revoked',
  keys_unavailable: 'the keys of the issuer cannot be fetched now',
  busy: 'too many logins at once',
};
