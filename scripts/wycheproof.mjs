/**
 * Runs test vectors in the JSON form of Project Wycheproof (`json_web_signature_test.json`, `json_web_key_test.json`,
 * `json_web_crypto_test.json`) against the verifier, and prints where it says otherwise than they do.
 *
 *   node scripts/wycheproof.mjs FILE…
 *
 * Exit code 1: a signature that must be refused was accepted. One that was refused although it could be accepted is printed, and
 * is no failure: the verifier asks more of keys than the vectors do (docs/security.md). Neither is one that must be refused by one
 * vector and is valid by another, letter for letter, with the same key.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { verifyWithKeys } from '../dist/auth/token-tool.js';

const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write('usage: node scripts/wycheproof.mjs FILE…\n');
  process.exit(2);
}
const counts = { vectors: 0, agree: 0, falseAccepts: 0, falseRefusals: 0, contradicted: 0, skipped: 0 };
for (const file of files) {
  const valid = new Set();
  const groups = JSON.parse(readFileSync(file, 'utf8')).testGroups;
  const keysOf = (group) => group.public ?? group.private ?? group.key;
  for (const group of groups)
    for (const { jws, result } of group.tests)
      if (result === 'valid') valid.add(`${JSON.stringify(keysOf(group))} ${jws}`);
  for (const group of groups) {
    const keys = keysOf(group);
    for (const { tcId, comment, jws, result } of group.tests) {
      // Encryption is nothing that a token of the gateway has.
      if (typeof jws !== 'string' || keys === undefined) {
        counts.skipped += 1;
        continue;
      }
      counts.vectors += 1;
      // What was signed is no token: only the signature counts.
      const check = await verifyWithKeys(jws, keys, 0);
      if (check.valid === (result !== 'invalid')) {
        counts.agree += 1;
        continue;
      }
      const contradicted = check.valid && valid.has(`${JSON.stringify(keys)} ${jws}`);
      counts[contradicted ? 'contradicted' : check.valid ? 'falseAccepts' : 'falseRefusals'] += 1;
      const said = `${check.valid ? 'accepted' : `refused (${check.reason})`}${contradicted ? ', as another vector has it' : ''}`;
      process.stdout.write(`${file} ${tcId}: ${said}, expected ${result}: ${comment}\n`);
    }
  }
}
process.stdout.write(`${JSON.stringify(counts)}\n`);
process.exit(counts.falseAccepts > 0 ? 1 : 0);
