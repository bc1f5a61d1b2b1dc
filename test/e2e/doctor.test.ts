/** `viable doctor`: finds what would keep a gateway from working, says what to do, and changes nothing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { generate } from 'selfsigned';
import type { Check } from '#src/doctor/check.js';
import { ROOT, runNode, startGateway, type Run } from '../support/gateway.js';
import { FixtureHub } from '../support/hub.js';
import { startRemote } from '../support/remote-fixture.js';

const CLI = path.join(ROOT, 'dist/cli.js');

interface Report {
  readonly ok: boolean;
  readonly failed: number;
  readonly warned: number;
  readonly checks: readonly Check[];
}

describe('viable doctor', () => {
  let folder: string;
  let hub: FixtureHub;
  const servers: Server[] = [];

  before(async () => {
    hub = await FixtureHub.start();
    folder = await mkdtemp(path.join(tmpdir(), 'viable-doctor-'));
  });
  after(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await hub.close();
    await rm(folder, { recursive: true, force: true });
  });

  const file = (name: string): string => path.join(folder, name);

  async function doctor(
    config: object | string,
    args: readonly string[] = [],
    env: Record<string, string> = {},
  ): Promise<Run> {
    const name = file('gateway.json');
    await writeFile(name, typeof config === 'string' ? config : JSON.stringify(config));
    return await runNode(CLI, ['doctor', '--config', name, ...args], {
      env: { XDG_RUNTIME_DIR: folder, XDG_STATE_HOME: folder, ...env },
    });
  }

  async function report(
    config: object | string,
    args: readonly string[] = [],
    env: Record<string, string> = {},
  ): Promise<Report & { about(subject: string): readonly Check[] }> {
    const run = await doctor(config, ['--json', ...args], env);
    assert.equal(run.stderr, '');
    const found = JSON.parse(run.stdout) as Report;
    assert.equal(run.code, found.ok ? 0 : 1);
    assert.equal(found.failed, found.checks.filter(({ verdict }) => verdict === 'fail').length);
    for (const { verdict, advice, message } of found.checks)
      assert.equal(advice !== undefined, verdict !== 'ok', message);
    return { ...found, about: (subject) => found.checks.filter((check) => check.subject === subject) };
  }

  async function serve(answer: RequestListener): Promise<string> {
    const server = createHttpServer(answer);
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const free = { listen: { port: 0 }, admin: { socket: 'v.sock' } };

  it('is content with what works, on every transport, and starts programs only when told to', async () => {
    const remote = await Promise.all(
      (['http', 'sse', 'ws'] as const).map(async (kind) => ({ kind, ...(await startRemote(hub, kind, kind)) })),
    );
    const config = {
      mcpServers: {
        program: hub.stdio('sdk-server', 'program'),
        ...Object.fromEntries(remote.map(({ kind, url }) => [kind, { url, type: kind }])),
      },
      gateway: free,
    };
    const idle = await report(config);
    assert.deepEqual([idle.failed, idle.warned], [0, 0], JSON.stringify(idle.checks));
    assert.equal(hub.events('program', 'hello').length, 0);
    for (const { kind } of remote) assert.match(idle.about(`upstream ${kind}`)[0]?.message ?? '', /speaks MCP 20/);
    const started = await report(config, ['--start']);
    assert.match(started.about('upstream program')[0]?.message ?? '', /speaks MCP 20/);
    await hub.waitFor('program', 'gone');
    const human = await doctor(config);
    assert.equal(human.code, 0);
    assert.match(human.stdout, /^✔ node /m);
    assert.match(human.stdout, /All is well: \d+ checks\./);
    assert.doesNotMatch(human.stdout, /\u001b/);
  });

  it('tells upstreams that are missing, deaf, strange or want a login from each other', async () => {
    const html = await serve((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'));
    const login = await serve((_, response) => response.writeHead(401).end());
    const lost = await serve((_, response) => response.writeHead(404).end());
    const deaf = await serve(() => undefined);
    const found = await report(
      {
        mcpServers: {
          absent: { command: 'no-such-command-anywhere' },
          nobody: { url: 'http://127.0.0.1:9/mcp' },
          html: { url: `${html}/mcp` },
          login: { url: `${login}/mcp` },
          oauth: { url: `${login}/mcp`, viable: { auth: { type: 'authorization_code' } } },
          lost: { url: `${lost}/mcp` },
          deaf: { url: `${deaf}/mcp` },
          off: { command: 'no-such-command-anywhere', disabled: true },
        },
        gateway: free,
      },
      ['--timeout', '500ms'],
    );
    const advice = (name: string): string => {
      const [check] = found.about(`upstream ${name}`);
      assert.equal(check?.verdict, 'fail', name);
      return `${check.message} → ${check.advice ?? ''}`;
    };
    assert.match(advice('absent'), /not on PATH/);
    assert.match(advice('nobody'), /refused.*start the server/);
    assert.match(advice('html'), /address is that of the MCP endpoint|path of `url`/);
    assert.match(advice('login'), /`headers`/);
    assert.match(advice('lost'), /404.*"type": "sse"/);
    assert.match(advice('deaf'), /500 ms|0\.5 s/);
    assert.deepEqual(
      ['oauth', 'off'].map((name) => found.about(`upstream ${name}`)[0]?.verdict),
      ['ok', 'ok'],
    );
    assert.match(found.about('upstream oauth')[0]?.message ?? '', /viable upstream login oauth/);
  });

  it('says what is wrong with the configuration, with its line, and names what is not set', async () => {
    const text =
      '{\n "mcpServers": { "a": { "comand": "x" },\n "b": { "url": "http://x/mcp", "headers": { "X-Key": "${NOT_SET_ANYWHERE}" } } }\n}';
    const found = await report(text);
    const said = found.about('configuration').map(({ message, advice }) => `${message} ${advice ?? ''}`);
    assert.equal(found.ok, false);
    assert.ok(
      said.some((line) => /comand.*line 2.*command/.test(line)),
      said.join('\n'),
    );
    assert.ok(
      said.some((line) => /NOT_SET_ANYWHERE.*line 3/.test(line)),
      said.join('\n'),
    );
    const short = await report({ mcpServers: {}, gateway: free }, [], { JWT_SECRET: 'short' });
    assert.match(short.about('configuration')[0]?.message ?? '', /JWT_SECRET is shorter than 32 bytes/);
    const wrong = await report({ mcpServers: {} }, [], { VIABLE_PORT: 'many' });
    assert.match(wrong.about('configuration')[0]?.message ?? '', /VIABLE_PORT/);
    assert.equal((await runNode(CLI, ['doctor', '--config', file('nowhere.yaml')])).code, 1);
  });

  it('tells its own gateway on the port from somebody else', async () => {
    const other = await serve((_, response) => response.end());
    const taken = await report({ mcpServers: {}, gateway: { ...free, listen: { port: Number(new URL(other).port) } } });
    assert.match(taken.about('port')[0]?.message ?? '', /something else listens/);
    const gateway = await startGateway({ config: { mcpServers: {} } });
    try {
      const own = await report({
        mcpServers: {},
        gateway: { listen: { port: Number(new URL(gateway.url).port) }, admin: { socket: gateway.socketPath } },
      });
      assert.match(own.about('port')[0]?.message ?? '', new RegExp(`this gateway, process ${gateway.pid}`));
      assert.equal(own.about('admin socket')[0]?.verdict, 'ok');
    } finally {
      await gateway.stop();
    }
    const foreign = await report({ mcpServers: {}, gateway: { ...free, listen: { host: '192.0.2.1', port: 0 } } }, [], {
      JWT_SECRET: 'a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6',
    });
    assert.equal(foreign.about('configuration')[0]?.verdict, 'ok');
    const unknown = await report(
      { mcpServers: {}, gateway: { ...free, listen: { host: '192.0.2.1', port: 4999 } } },
      [],
      {
        JWT_SECRET: 'a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6',
      },
    );
    assert.match(unknown.about('port')[0]?.message ?? '', /no address of this machine/);
  });

  it('says of the admin socket what would keep it from being made', async () => {
    const at = async (socket: string): Promise<Check | undefined> =>
      (await report({ mcpServers: {}, gateway: { listen: { port: 0 }, admin: { socket } } })).about('admin socket')[0];
    await writeFile(file('plain'), '');
    assert.match((await at('plain'))?.message ?? '', /is no socket/);
    assert.match((await at('no-such-folder/v.sock'))?.message ?? '', /does not exist/);
    assert.match((await at(`${'long'.repeat(40)}.sock`))?.message ?? '', /too long/);
    assert.equal((await at('v.sock'))?.verdict, 'ok');
  });

  it('reads the certificate: its end, its key, its names, its mode', async () => {
    const day = 86_400_000;
    const make = async (name: string, days: number): Promise<void> => {
      const { cert, private: key } = await generate([{ name: 'commonName', value: 'gateway.example' }], {
        keyType: 'ec',
        algorithm: 'sha256',
        notBeforeDate: new Date(Date.now() - 100 * day),
        notAfterDate: new Date(Date.now() + days * day),
      });
      await writeFile(file(`${name}.pem`), cert);
      await writeFile(file(`${name}.key`), key, { mode: 0o600 });
    };
    await make('good', 300);
    await make('late', -1);
    await make('soon', 5);
    const tls = async (cert: string, key: string, allowedHosts: string[] = []): Promise<string[]> => {
      const listen = { port: 0, allowedHosts, tls: { cert: `${cert}.pem`, key: `${key}.key` } };
      const found = await report({ mcpServers: {}, gateway: { ...free, listen } });
      return found.about('certificate').map(({ verdict, message }) => `${verdict} ${message}`);
    };
    assert.match((await tls('good', 'good')).join(), /^ok .* valid for (299|300) days$/);
    assert.match((await tls('late', 'late')).join(), /^fail .* expired/);
    assert.match((await tls('soon', 'soon')).join(), /^warning .* expires in [45] days/);
    assert.match((await tls('good', 'late')).join(), /fail .* is not the key of/);
    assert.match((await tls('good', 'nowhere')).join(), /fail .*nowhere\.key cannot be read \(ENOENT\)/);
    assert.match((await tls('good', 'good', ['other.example'])).join(), /warning .* not for other\.example/);
    await chmod(file('good.key'), 0o644);
    assert.match((await tls('good', 'good')).join(), /warning the private key .* read by others \(mode 0644\)/);
  });

  it('finds secrets that can be read or guessed, without repeating any', async () => {
    const config = { mcpServers: { a: { command: 'node', env: { API_TOKEN: 'tell-nobody-1' } } }, gateway: free };
    await writeFile(file('gateway.json'), '', { mode: 0o644 });
    await chmod(file('gateway.json'), 0o644);
    const open = await report(config, [], { JWT_SECRET: 'ab'.repeat(20) });
    const said = open.about('secrets').map(({ message, advice }) => `${message} → ${advice ?? ''}`);
    assert.ok(
      said.some((line) => /mcpServers\.a\.env\.API_TOKEN looks like a secret.*\$\{NAME\}/.test(line)),
      said.join('\n'),
    );
    assert.ok(
      said.some((line) => /can be read by others.*chmod 600/.test(line)),
      said.join('\n'),
    );
    assert.ok(
      said.some((line) => /few characters/.test(line)),
      said.join('\n'),
    );
    assert.doesNotMatch(JSON.stringify(open), /tell-nobody|abab/);
    await chmod(file('gateway.json'), 0o600);
    const closed = await report(
      { mcpServers: { a: { command: 'node', env: { API_TOKEN: '${THE_TOKEN}' } } }, gateway: free },
      [],
      {
        THE_TOKEN: 'x',
      },
    );
    assert.deepEqual(
      closed.about('secrets').map(({ verdict }) => verdict),
      ['ok'],
    );
  });

  it('compares its clock with those of servers', async () => {
    const late = await serve((_, response) => {
      response.setHeader('date', new Date(Date.now() - 600_000).toUTCString());
      response.writeHead(405).end();
    });
    const found = await report({ mcpServers: { late: { url: `${late}/mcp` } }, gateway: free });
    const [clock] = found.about('clock');
    assert.equal(clock?.verdict, 'fail');
    assert.match(clock.message, /(599|600|601) s ahead of 127\.0\.0\.1/);
  });

  it('looks at the audit log, the collector, the issuers and the open files', async () => {
    const collector = await serve((request, response) => {
      response.writeHead(request.url === '/v1/traces' && request.method === 'POST' ? 200 : 404).end();
    });
    const issuer = await serve((_, response) => response.writeHead(500).end());
    const good = await report({
      mcpServers: {},
      gateway: {
        ...free,
        audit: { path: 'audit.jsonl', maxFileBytes: 65_536, maxFiles: 2 },
        telemetry: { endpoint: collector },
      },
    });
    assert.equal(good.about('audit log')[0]?.verdict, 'ok');
    assert.match(good.about('collector')[0]?.message ?? '', /takes traces/);
    const bad = await report({
      mcpServers: {},
      gateway: {
        ...free,
        listen: { port: 0, maxConnections: 1_000_000 },
        audit: { path: 'nowhere/audit.jsonl' },
        telemetry: { endpoint: 'http://127.0.0.1:9' },
        auth: { issuers: [{ issuer, jwksUri: `${issuer}/keys` }] },
      },
    });
    assert.match(bad.about('audit log')[0]?.message ?? '', /nowhere does not exist/);
    assert.match(bad.about('collector')[0]?.message ?? '', /does not answer/);
    assert.match(bad.about(`issuer ${issuer}`)[0]?.message ?? '', /status 500/);
    assert.match(bad.about('open files')[0]?.advice ?? '', /ulimit -n 1000064/);
  });
});
