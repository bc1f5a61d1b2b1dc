import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createReaper, type Reaper } from '#src/transports/outbound/reaper.js';
import { createStdioTransport } from '#src/transports/outbound/stdio.js';
import { outboundTransportContract } from './outbound-transport.contract.js';
import { checkEverything } from '../support/outbound/everything.js';

const FIXTURE = fileURLToPath(new URL('../support/outbound/stdio-fixture.js', import.meta.url));

outboundTransportContract({
  name: 'stdio',
  missingKind: 'spawn_failed',
  oversizeEndsTransport: true,
  start: async () => {
    const reaper = createReaper();
    const target = { transport: 'stdio', command: process.execPath, args: [FIXTURE] } as const;
    return {
      target,
      create: (handlers, limits) => createStdioTransport({ ...target, ...limits, reaper }, handlers),
      createMissing: (handlers) => createStdioTransport({ command: 'no-such-program', reaper }, handlers),
      stop: () => reaper.stop(),
    };
  },
});

describe('stdio transport with a real server', () => {
  let reaper: Reaper;
  beforeEach(() => (reaper = createReaper()));
  afterEach(() => reaper.stop());

  it('speaks with server-everything', async () => {
    const entry = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/dist/index.js');
    const pid = await checkEverything((handlers) =>
      createStdioTransport({ command: 'node', args: [entry, 'stdio'], reaper }, handlers),
    );
    assert.ok(pid !== undefined);
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });
});
