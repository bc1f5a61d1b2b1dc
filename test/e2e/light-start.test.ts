/** What a gateway does not load before it needs it: modules cost every start their time, and the process their memory. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from '../support/eventually.js';
import { type Gateway, startGateway } from '../support/gateway.js';

/** Programs of their own, and the SDK of OpenTelemetry. */
const LATER = [
  '/@opentelemetry/sdk-node/',
  '/tracing/sdk.js',
  '/blessed',
  '/dist/tui/',
  '/dist/cli/',
  '/@modelcontextprotocol/',
];

describe('a start without telemetry', () => {
  let folder: string;
  let gateway: Gateway;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'viable-light-'));
  });
  after(async () => {
    await gateway.stop();
    await rm(folder, { recursive: true });
  });

  it('loads no SDK, dashboard or command; the SDK with the first need', async () => {
    const [hooks, recorder, list] = ['hooks.mjs', 'recorder.mjs', 'loaded'].map((name) => path.join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(
      hooks,
      `import { appendFileSync } from 'node:fs';
       export async function load(url, context, next) {
         appendFileSync(${JSON.stringify(list)}, url + '\\n');
         return next(url, context);
       }`,
    );
    await writeFile(
      recorder,
      `import { register } from 'node:module'; register(${JSON.stringify(pathToFileURL(hooks))});`,
    );
    gateway = await startGateway({
      config: { mcpServers: {} },
      env: { NODE_OPTIONS: `--import ${pathToFileURL(recorder).href}` },
    });
    const loaded = async (): Promise<string[]> => (await readFile(list, 'utf8')).split('\n');
    const early = await loaded();
    assert.ok(early.some((url) => url.endsWith('/dist/gateway.js')));
    for (const part of LATER)
      assert.deepEqual(
        early.filter((url) => url.includes(part)),
        [],
        part,
      );
    await gateway.admin('features', { action: 'enable', name: 'tracing' });
    await eventually(async () => {
      assert.ok((await loaded()).some((url) => url.includes('/tracing/sdk.js')));
    });
  });
});
