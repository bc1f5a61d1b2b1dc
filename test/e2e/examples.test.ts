/** Every program in examples/ runs as it is, in a process of its own, against the built package, and says what it should. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT, runNode } from '../support/gateway.js';
import { Collector } from '../support/otlp.js';

/** What each prints, a line each; a pattern where a line is different every time. */
const PRINTED: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  'client-authentication': [
    'joined as: user123 premium',
    /^auth failed: /,
    'SSE with a header: open',
    'SSE with a query: open',
    'SSE without a token: refused with 401',
  ],
  dashboard: ['dashboard: 200 text/html; charset=utf-8', 'connections: 0', 'server hello: ready, breaker closed'],
  draining: [
    'first: completed',
    'answered: true',
    'second: completed',
    /^third: draining, 0 connections, 0 in flight$/,
    'third: stopped, 0 connections, 0 in flight',
    'third: shutdown completed: completed',
    'fourth: forced',
  ],
  features: [
    'dashboard: CPU measured',
    'tracing: not active, 0 spans a second',
    'jwt: on, memory measured',
    'draining: not active',
    'dashboard: off',
    'sampling rate: 0.001',
  ],
  integration: [
    'answer: [{"type":"text","text":"Echo: hello"}]',
    'connections: 0',
    'gateway shutdown complete: completed',
  ],
  production: [
    'authentication: required',
    'sampling rate: 0.01',
    'dashboard: on',
    'tracing: on',
    'jwt: on',
    'draining: on',
  ],
  // A slow run gets some more: the limit refills while it lasts.
  'rate-limits': [/^user: 1\d\d served, then .*"reason":"rate_limited"/, 'premium: 200 served'],
  'rolling-update': ['old instance: stopped', 'same address: true', 'the new instance serves'],
  'shutdown-notices': [
    'WebSocket: reconnect after some milliseconds',
    /^SSE: .*shutting down/i,
    'WebSocket: closed with 1001',
    'gateway: completed',
  ],
  tokens: [
    'user123 is admin',
    /"sub":"user123","role":"admin","permissions":\["read","write","admin"\],"iss":"autonomous-opponent","aud":"mcp-gateway","seconds":7200/,
    'still valid, no refresh needed',
    'invalid, authenticate anew: invalid_token',
    'may write',
    'may not delete',
  ],
  tracing: ['one trace: true'],
};
const NEED_SECRET = ['client-authentication', 'integration', 'production', 'tokens'];
const NEED_COLLECTOR = ['integration', 'production', 'tracing'];
/** What they send to the collector. */
const SPANS: Readonly<Record<string, readonly string[]>> = {
  integration: ['myapp.authenticated_request', 'tools/call hello__echo'],
  tracing: ['custom.operation', 'tools/call hello__echo', 'tools/call echo', 'service.step'],
};

describe('examples', function () {
  this.timeout(60_000); // each is a process that starts a gateway or four
  let directory: string;
  let collector: Collector;
  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'viable-examples-'));
    collector = await Collector.start();
  });
  after(async () => {
    await collector.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('are all tried, and all named in examples/README.md', async () => {
    const all = (await readdir(path.join(ROOT, 'examples'))).filter((name) => name.endsWith('.ts'));
    const files = all.filter((name) => name !== 'start.ts');
    assert.deepEqual(files.map((name) => path.basename(name, '.ts')).sort(), Object.keys(PRINTED).sort());
    const page = await readFile(path.join(ROOT, 'examples/README.md'), 'utf8');
    assert.deepEqual(
      files.filter((name) => !page.includes(`](${name})`)),
      [],
    );
  });

  for (const [name, lines] of Object.entries(PRINTED)) {
    it(`${name} says what it should`, async () => {
      const run = await runNode(path.join(ROOT, `dist-test/examples/${name}.js`), [], {
        deadline: 50_000,
        env: {
          PORT: '0',
          XDG_RUNTIME_DIR: directory,
          OTEL_METRICS_EXPORTER: 'none',
          ...(NEED_SECRET.includes(name) && { JWT_SECRET: 'an-example-secret-of-at-least-32-characters' }),
          ...(NEED_COLLECTOR.includes(name) && { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }),
        },
      });
      assert.equal(run.code, 0, run.stderr);
      assert.equal(run.stderr, '');
      const printed = run.stdout.trimEnd().split('\n');
      let at = 0;
      for (const line of lines) {
        const found = printed.findIndex(
          (text, index) => index >= at && (typeof line === 'string' ? text === line : line.test(text)),
        );
        assert.ok(found >= 0, `${String(line)} in\n${run.stdout}`);
        at = found + 1;
      }
      for (const span of SPANS[name] ?? []) await collector.waitForSpan((sent) => sent.name === span, span);
    });
  }
});
