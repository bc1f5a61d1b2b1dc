/**
 * The package as npm packs it, in an empty project: what is in it, that a strict TypeScript program finds its types, that
 * the program runs, and that the command does. Installs from npm's cache where it can, else from the registry.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT, runNode } from '../support/gateway.js';

const run = promisify(execFile);
const PATIENCE = 240_000;

const PROGRAM = `
import { createLog, demoConfig, Gateway, type GatewayEnd, JwtAuthenticator, Tracing, VERSION } from 'viable-gateway';

const loaded = await demoConfig({ env: process.env, overrides: { port: 0 } });
if (!loaded.ok) throw new Error('the demo is not well');
const gateway = new Gateway({ config: loaded.config, log: createLog('error', false) });
const ready = new Promise<number>((resolve) => {
  gateway.on('upstream/up', ({ name, tools }) => {
    if (name === 'everything') resolve(tools);
  });
});
await gateway.start();
const tools: number = await ready;
const params = { name: 'everything__echo', arguments: { message: 'from the package' } };
const answer = await Tracing.withSpan('app', {}, () =>
  gateway.routeMessage('ada', { jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
);
const text: unknown = 'result' in answer ? answer.result['content'] : answer.error.message;
await gateway.stop();
const end: GatewayEnd = await gateway.ended;
console.log(JSON.stringify({ version: VERSION, tools: tools > 0, text, end: end.kind }));

// Declarations that were lost would make everything \`any\`, and this no error.
// @ts-expect-error it takes secrets
export const wrong = (): JwtAuthenticator => new JwtAuthenticator({});
`;

describe('the package', function () {
  this.timeout(PATIENCE);
  let directory: string;
  let app: string;
  let files: string[];
  let manifest: { readonly version: string };

  before(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'viable-package-'));
    app = path.join(directory, 'app');
    // It was built before the tests: its own script would build it once more.
    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
    const packed = await run('npm', pack, { cwd: ROOT, maxBuffer: 16 * 1024 * 1024 });
    const [{ filename, files: held }] = JSON.parse(packed.stdout) as [
      { readonly filename: string; readonly files: readonly { readonly path: string }[] },
    ];
    files = held.map((file) => file.path);
    manifest = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as typeof manifest;
    await mkdir(app);
    await writeFile(path.join(app, 'package.json'), '{ "name": "app", "private": true, "type": "module" }');
    const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', path.join(directory, filename)];
    await run('npm', install, { cwd: app, maxBuffer: 16 * 1024 * 1024 });
  });
  after(async () => await rm(directory, { recursive: true, force: true }));

  it('holds the program, its declarations and what it reads, and nothing of the workshop', () => {
    for (const needed of [
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'package.json',
      'docs/config.schema.json',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/main.js',
      'dist/cli.js',
      'dist/tui/main.js',
      'dist/web/app.js',
      'web/static/index.html',
      'web/static/style.css',
    ])
      assert.ok(files.includes(needed), needed);
    const known =
      /^(?:dist\/.+\.(?:js|d\.ts)|web\/static\/[a-z]+\.(?:html|css|svg)|docs\/config\.schema\.json|[A-Za-z]+(?:\.md|\.json)?)$/;
    assert.deepEqual(
      files.filter((file) => !known.test(file) || /\btests?\b|\.test\./.test(file)),
      [],
    );
  });

  it('a strict TypeScript program finds its types, checks those of the package, and runs', async () => {
    const compilerOptions = {
      target: 'ES2023',
      module: 'NodeNext',
      strict: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
      types: ['node'],
      outDir: 'out',
    };
    await writeFile(path.join(app, 'main.ts'), PROGRAM);
    await writeFile(path.join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
    // Whoever writes for Node has these.
    const types = path.join(app, 'node_modules/@types');
    await mkdir(types, { recursive: true });
    await rm(path.join(types, 'node'), { recursive: true, force: true });
    await symlink(path.join(ROOT, 'node_modules/@types/node'), path.join(types, 'node'));
    const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
    const checked = await runNode(tsc, ['-p', app], { cwd: app, deadline: PATIENCE });
    assert.equal(checked.code, 0, checked.stdout);
    const env = { XDG_DATA_HOME: directory, XDG_RUNTIME_DIR: directory };
    const ran = await runNode(path.join(app, 'out/main.js'), [], { cwd: app, env, deadline: PATIENCE });
    assert.equal(ran.stderr, '');
    assert.deepEqual(JSON.parse(ran.stdout), {
      version: manifest.version,
      tools: true,
      text: [{ type: 'text', text: 'Echo: from the package' }],
      end: 'drained',
    });
  });

  it('brings the command', async () => {
    const viable = path.join(app, 'node_modules/.bin/viable');
    assert.equal((await run(viable, ['--version'])).stdout.trim(), manifest.version);
    const { stdout } = await run(viable, ['--help']);
    assert.match(stdout, /^Usage: viable /);
    for (const command of ['status', 'upstreams', 'drain', 'stdio', 'top'])
      assert.match(stdout, new RegExp(`^ {2}${command}\\b`, 'm'));
  });
});
