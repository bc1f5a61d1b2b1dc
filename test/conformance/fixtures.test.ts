/** The conformance fixtures speak: one conversation with an SDK client of their era over each transport. */
import assert from 'node:assert/strict';
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as LegacyClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as LegacyStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as LegacyHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { startFixture, stdioFixture } from './combinations.js';
import { type RunningServer } from './gateway.js';
import { outcome, report, updated } from './report.js';
import { verdict } from './suite.js';

const CLIENT = { name: 'conformance-fixtures-test', version: '1.0.0' };
const CAPABILITIES = { capabilities: { elicitation: {} } };
const TOOL = { name: 'test_input_required_result_elicitation', arguments: {} };
const ANSWER = { action: 'accept' as const, content: { name: 'Ada' } };
const GREETING = [{ type: 'text', text: 'Hello, Ada!' }];

async function talkLegacy(transport: Transport): Promise<void> {
  const client = new LegacyClient(CLIENT, CAPABILITIES);
  client.setRequestHandler(ElicitRequestSchema, () => ANSWER);
  await client.connect(transport);
  try {
    assert.equal(client.getServerVersion()?.name, 'conformance-legacy');
    assert.deepEqual((await client.callTool(TOOL)).content, GREETING);
  } finally {
    await client.close();
  }
}

async function talkModern(transport: ModernHttp | ModernStdio): Promise<void> {
  const client = new ModernClient(CLIENT, { ...CAPABILITIES, versionNegotiation: { mode: { pin: '2026-07-28' } } });
  client.setRequestHandler('elicitation/create', () => ANSWER);
  await client.connect(transport);
  try {
    assert.equal(client.getServerVersion()?.name, 'conformance-modern');
    assert.deepEqual((await client.callTool(TOOL)).content, GREETING);
  } finally {
    await client.close();
  }
}

describe('Conformance fixtures', () => {
  it('the legacy one answers over stdio', async () => {
    await talkLegacy(new LegacyStdio(stdioFixture('legacy')));
  });

  it('the modern one answers over stdio', async () => {
    await talkModern(new ModernStdio(stdioFixture('modern')));
  });

  describe('over Streamable HTTP', () => {
    let fixture: RunningServer;

    afterEach(async () => {
      await fixture.stop();
    });

    it('the legacy one answers', async () => {
      fixture = await startFixture('legacy');
      await talkLegacy(new LegacyHttp(new URL(fixture.url)));
    });

    it('the modern one answers', async () => {
      fixture = await startFixture('modern');
      await talkModern(new ModernHttp(new URL(fixture.url)));
    });
  });
});

describe('Conformance report', () => {
  const passed = verdict([{ id: 'a', status: 'SUCCESS' }]);
  const failed = verdict([
    { id: 'a', status: 'SUCCESS' },
    { id: 'b', status: 'FAILURE', errorMessage: 'no answer' },
  ]);
  const combination = { name: 'legacy-to-modern/stdio', era: 'legacy', route: '/mcp/s/fixture' } as const;
  const results = new Map([
    [
      combination,
      new Map([
        ['ping', failed],
        ['tools-list', passed],
      ]),
    ],
  ]);

  it('counts a scenario without a success as failed', () => {
    assert.equal(verdict([{ id: 'a', status: 'INFO' }]).passed, false);
    assert.equal(failed.passed, false);
    assert.equal(failed.reason, 'b: no answer');
  });

  it('tells new failures from listed ones, and finds stale entries', () => {
    assert.equal(outcome(passed, undefined), 'passed');
    assert.equal(outcome(failed, undefined), 'failed');
    assert.equal(outcome(failed, 'no sampling'), 'expected');
    assert.equal(outcome(passed, 'no sampling'), 'stale');
    const { counts, text } = report(results, { [combination.name]: { 'tools-list': 'cannot' } });
    assert.deepEqual(counts, { passed: 0, failed: 1, expected: 0, stale: 1 });
    assert.match(text, /no answer/);
  });

  it('updates a baseline: keeps reasons, drops what passes, leaves what did not run', () => {
    const before = {
      [combination.name]: { ping: 'why', 'tools-list': 'cannot' },
      'modern-to-legacy/http': { caching: 'later' },
    };
    assert.deepEqual(updated(results, before), {
      [combination.name]: { ping: 'why' },
      'modern-to-legacy/http': { caching: 'later' },
    });
  });
});
