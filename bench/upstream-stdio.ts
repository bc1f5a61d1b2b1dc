/**
 * The stdio upstream: the same server, a JSON message a line. Ends with its stdin, as the specification asks.
 * Answers of one read leave in one write.
 *
 *   node dist-test/bench/upstream-stdio.js
 */
import { answer, type WireMessage } from './echo-server.js';

let rest = '';

process.stdin.setEncoding('utf8');
process.stdin.on('data', (chunk: string) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  let out = '';
  for (const line of lines) {
    const reply = answer(JSON.parse(line) as WireMessage);
    if (reply !== undefined) out += `${JSON.stringify(reply)}\n`;
  }
  if (out !== '') process.stdout.write(out);
});
process.stdin.on('end', () => process.exit(0));
