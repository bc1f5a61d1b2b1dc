/** Tokens: made, verified, renewed, asked for a permission. */
import { JwtAuthenticator } from 'viable-gateway';
import { say } from './start.js';

// At least 32 characters: export JWT_SECRET=$(openssl rand -base64 48). There is no default.
const secret = process.env['JWT_SECRET'];
if (secret === undefined) throw new Error('set JWT_SECRET');
const authenticator = new JwtAuthenticator({ secrets: [{ kid: 'current', secret }] });

// A basic token: role `user`, one hour.
const basic = await authenticator.generateToken('user123');

// With a role, permissions and another length.
const token = await authenticator.generateToken('user123', {
  role: 'admin',
  permissions: ['read', 'write', 'admin'],
  exp: 7_200, // seconds
});

const verdict = await authenticator.verify(token);
if (!verdict.ok) throw new Error(verdict.fault);
const { principal } = verdict;
say(`${String(principal.subject)} is ${principal.role}`);
const { sub, role, permissions, iss, aud, exp, iat } = principal.claims;
say(JSON.stringify({ sub, role, permissions, iss, aud, seconds: Number(exp) - Number(iat) }));

// Renew it when it ends soon.
for (const candidate of [basic, 'not.a.token']) {
  const refreshed = await authenticator.refreshToken(candidate);
  if (!refreshed.ok) say(`invalid, authenticate anew: ${refreshed.error}`);
  else say(refreshed.renewed ? 'a new token' : 'still valid, no refresh needed');
}

// Ask for a permission.
say(authenticator.hasPermission(principal, 'write') ? 'may write' : 'may not write');
say(authenticator.hasPermission(principal, 'delete') ? 'may delete' : 'may not delete');
