import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '#src/config/load.js';
import { accepted, load, problemAt, refused, withFolder } from './support.js';

const POOL = {
  size: 10,
  shared: 1,
  overflow: 90,
  warm: 0,
  checkoutTimeout: 5000,
  queue: 100,
  idleCheck: 30_000,
  idleTimeout: 300_000,
  maxLifetime: 3_600_000,
};

describe('config/load: what is accepted', () => {
  it('takes the mcpServers of Claude Desktop as they are, and warns of its other settings', async () => {
    const { config, warnings } = accepted(
      await load({
        globalShortcut: 'Ctrl+Space',
        mcpServers: {
          memory: { command: 'npx', args: ['-y', 'server-memory'], env: { MEMORY_FILE_PATH: '/data/m.json' } },
        },
      }),
    );
    assert.deepEqual(config.servers.get('memory'), {
      name: 'memory',
      target: {
        transport: 'stdio',
        command: 'npx',
        args: ['-y', 'server-memory'],
        env: { MEMORY_FILE_PATH: '/data/m.json' },
        inheritEnv: [],
      },
      filter: {},
      timeouts: { connect: 30_000, request: 60_000, tools: {}, progress: false, max: 600_000 },
      breaker: config.gateway.breaker,
      concurrency: config.gateway.concurrency,
      maxInFlight: 256,
      maxMessageBytes: 16 * 1024 * 1024,
      disabled: false,
      era: 'auto',
      sharing: 'auto',
      pool: POOL,
    });
    assert.deepEqual(
      warnings.map((warning) => warning.path),
      ['globalShortcut'],
    );
    assert.match(warnings[0]!.message, /Claude Desktop/);
  });

  it('takes the servers of VS Code, with type stdio and ${env:NAME}; its inputs and envFile only warn', async () => {
    const { config, warnings } = accepted(
      await load(
        {
          inputs: [{ id: 'key', type: 'promptString' }],
          servers: {
            git: { type: 'stdio', command: 'git-mcp', args: ['${env:TOKEN}'], envFile: '${workspaceFolder}/.env' },
          },
        },
        { env: { TOKEN: 'abc' } },
      ),
    );
    const target = config.servers.get('git')?.target;
    assert.ok(target?.transport === 'stdio');
    assert.deepEqual(target.args, ['abc']);
    assert.deepEqual(warnings.map((warning) => warning.path).sort(), ['inputs', 'servers.git.envFile']);
    assert.match(problemAt(warnings, 'servers.git.envFile').suggestion ?? '', /`env`/);
  });

  it('takes both groups of servers, in declared order, and refuses a name that is in both', async () => {
    const a = { command: 'a' };
    const { config } = accepted(await load({ mcpServers: { z: a, m: a }, servers: { b: a } }));
    assert.deepEqual([...config.servers.keys()], ['z', 'm', 'b']);
    const problems = refused(await load({ mcpServers: { z: a }, servers: { z: a } }));
    assert.match(problemAt(problems, 'servers.z').message, /same name/);
  });

  const transports: [entry: Record<string, unknown>, transport: string][] = [
    [{ url: 'http://h/mcp' }, 'http'],
    [{ url: 'https://h/sse' }, 'sse'],
    [{ url: 'https://h/sse/?a=1' }, 'sse'],
    [{ url: 'https://h/assess' }, 'http'],
    [{ url: 'ws://h/x' }, 'ws'],
    [{ url: 'wss://h/sse' }, 'ws'],
    [{ url: 'https://h/sse', type: 'http' }, 'http'],
    [{ url: 'https://h/mcp', type: 'sse' }, 'sse'],
    [{ url: 'https://h/mcp', type: 'streamable-http' }, 'http'],
    [{ url: 'https://h/mcp', type: 'streamableHttp' }, 'http'],
    [{ command: 'x' }, 'stdio'],
    [{ command: 'x', type: 'stdio' }, 'stdio'],
  ];
  for (const [entry, transport] of transports) {
    it(`takes ${JSON.stringify(entry)} as ${transport}`, async () => {
      const { config } = accepted(await load({ mcpServers: { s: entry } }));
      assert.equal(config.servers.get('s')?.target.transport, transport);
    });
  }

  it('takes numbers and booleans where clients write strings, with a warning that names the place', async () => {
    const entry = { command: 'x', args: [8080, 'a'], env: { DEBUG: true, LEVEL: 3, NAME: 'n' } };
    const { config, warnings } = accepted(await load({ mcpServers: { s: entry } }));
    const target = config.servers.get('s')?.target;
    assert.ok(target?.transport === 'stdio');
    assert.deepEqual(target.args, ['8080', 'a']);
    assert.deepEqual(target.env, { DEBUG: 'true', LEVEL: '3', NAME: 'n' });
    assert.deepEqual(
      warnings.map((warning) => warning.path),
      ['mcpServers.s.args[0]', 'mcpServers.s.env.DEBUG', 'mcpServers.s.env.LEVEL'],
    );
  });

  it('takes comments, trailing commas and a byte-order mark in JSON', async () => {
    const text =
      '\ufeff// mine\n{ /* two\nlines */ "mcpServers": { "a": { "command": "x", "args": ["//no", ], }, }, }\n';
    const { config } = accepted(await load(text));
    const target = config.servers.get('a')?.target;
    assert.ok(target?.transport === 'stdio');
    assert.deepEqual(target.args, ['//no']);
  });

  it('takes YAML by its name, merge keys included, and by its look when the name says nothing', async () => {
    const yaml = 'mcpServers:\n  a: &base\n    command: x\n    args: [-v]\n  b:\n    <<: *base\n    cwd: /w\n';
    for (const name of ['viable.yaml', 'viable.yml', 'viable.conf']) {
      const { config } = accepted(await load(yaml, { name }));
      assert.deepEqual([...config.servers.keys()], ['a', 'b']);
      const target = config.servers.get('b')?.target;
      assert.ok(target?.transport === 'stdio');
      assert.deepEqual([target.command, target.cwd], ['x', '/w']);
    }
    accepted(await load('// c\n{"mcpServers": {}}', { name: 'viable.conf' }));
  });

  it('resolves relative commands and folders from the folder of the file, and ~ from HOME', async () => {
    await withFolder(async (folder) => {
      await mkdir(path.join(folder, 'conf'));
      const file = path.join(folder, 'conf', 'viable.json');
      const mcpServers = {
        here: { command: './server.js', cwd: 'work' },
        up: { command: '../bin/server' },
        bare: { command: 'node' },
        home: { command: '~/bin/s', cwd: '~' },
      };
      await writeFile(file, JSON.stringify({ mcpServers }));
      const { config } = accepted(await loadConfig({ file, env: { HOME: '/home/me' } }));
      const of = (name: string) => {
        const target = config.servers.get(name)?.target;
        return target?.transport === 'stdio' ? [target.command, target.cwd] : undefined;
      };
      assert.deepEqual(of('here'), [path.join(folder, 'conf', 'server.js'), path.join(folder, 'conf', 'work')]);
      assert.deepEqual(of('up'), [path.join(folder, 'bin', 'server'), undefined]);
      assert.deepEqual(of('bare'), ['node', undefined]);
      assert.deepEqual(of('home'), ['/home/me/bin/s', '/home/me']);
      assert.equal(config.source.file, file);
    });
  });

  it("fills a server's limits from the gateway block unless it has its own", async () => {
    const { config } = accepted(
      await load({
        mcpServers: {
          a: { command: 'x' },
          b: { command: 'x', viable: { timeouts: { request: 5 }, maxInFlight: 2, prefix: 'p', deny: ['rm*'] } },
        },
        gateway: { requests: { timeout: 7, maxInFlight: 9 }, upstreams: { connectTimeout: 8 } },
      }),
    );
    const [a, b] = [config.servers.get('a')!, config.servers.get('b')!];
    const rest = { tools: {}, progress: false, max: 600_000 };
    assert.deepEqual([a.timeouts, a.maxInFlight], [{ connect: 8, request: 7, ...rest }, 9]);
    assert.deepEqual([b.timeouts, b.maxInFlight], [{ connect: 8, request: 5, ...rest }, 2]);
    assert.deepEqual([b.prefix, b.filter], ['p', { deny: ['rm*'] }]);
  });

  it("a server's breaker differs from the gateway's in what it says, and in nothing else", async () => {
    const { config } = accepted(
      await load({
        mcpServers: {
          a: { command: 'x' },
          b: { command: 'x', viable: { breaker: { openFor: 5, failures: { toolErrors: true } } } },
        },
        gateway: { breaker: { openFor: 7, failureRatio: 0.25, failures: { lost: false } } },
      }),
    );
    const [a, b] = [config.servers.get('a')!.breaker, config.servers.get('b')!.breaker];
    assert.deepEqual([a.openFor, a.failureRatio, a.failures.lost, a.failures.toolErrors], [7, 0.25, false, false]);
    assert.deepEqual(b, { ...a, openFor: 5, failures: { ...a.failures, toolErrors: true } });
  });

  it("a client's own mistakes open no breaker, whatever is configured", async () => {
    const problems = refused(await load({ gateway: { breaker: { failures: { errorCodes: [-32602] } } } }));
    assert.match(problemAt(problems, 'gateway.breaker.failures.errorCodes[0]').message, /mistake of the client/);
  });

  it('has the documented defaults', async () => {
    const { config, warnings } = accepted(await load('{}'));
    const { vsm, ...others } = config.gateway;
    assert.deepEqual([vsm.enabled, vsm.webhook.url, vsm.alarms.escalation.policy], [true, null, 60_000]);
    assert.deepEqual(others, {
      listen: {
        host: '127.0.0.1',
        port: 4000,
        allowedHosts: [],
        allowedOrigins: [],
        maxBodyBytes: 4_194_304,
        maxConnections: 10_000,
        maxBufferedBytes: 8 * 1024 * 1024,
        stallTimeout: 30_000,
        headersTimeout: 15_000,
        requestTimeout: 60_000,
        trustedProxies: [],
        tls: { cert: null, key: null, ca: null, clientAuth: 'none' },
      },
      auth: {
        mode: 'off',
        issuer: 'autonomous-opponent',
        audience: 'mcp-gateway',
        secrets: [],
        issuers: [],
        cacheTtl: 300_000,
        publicKeyRefresh: 3_600_000,
        tokenTtl: 3_600_000,
        queryToken: true,
        resource: null,
        scopes: [],
        revocations: null,
      },
      limits: {
        roles: { admin: 10_000, premium: 1_000, user: 100, guest: 10 },
        burst: 1,
        tools: {},
        tenants: {},
        tenantClaim: 'tenant',
        failedLogins: 30,
        maxKeys: 100_000,
      },
      sessions: { max: 10_000, idleTimeout: 1_800_000 },
      breaker: {
        enabled: true,
        consecutiveFailures: 5,
        failureRatio: 0.5,
        minimumSamples: 20,
        window: 30_000,
        openFor: 5_000,
        maxOpenFor: 60_000,
        probeAfter: 2_000,
        catalogue: 'withdraw',
        failures: {
          timeout: true,
          lost: true,
          unavailable: true,
          protocol: true,
          errorCodes: [-32603],
          toolErrors: false,
        },
        flap: { halfLife: 30_000, suppress: 3, release: 1, hold: 60_000, maxHold: 300_000 },
        transports: { enabled: true, consecutiveFailures: 10, failureRatio: 0.5, minimumSamples: 50 },
      },
      concurrency: {
        adaptive: true,
        min: 16,
        tolerance: 2,
        minimumSamples: 20,
        interval: 1_000,
        halfLife: 60_000,
      },
      retries: {
        enabled: true,
        max: 2,
        backoffBase: 250,
        backoffMax: 30_000,
        ratio: 0.2,
        perSecond: 1,
        annotatedTools: false,
      },
      requests: { timeout: 60_000, maxInFlight: 256, progressExtends: false, maxTimeout: 600_000, openStreamAfter: 60 },
      input: { timeout: 600_000, maxParked: 1000 },
      catalogue: { pageSize: 1000, listChangedDebounce: 250, search: { enabled: false, maxResults: 10 } },
      toolsets: {},
      upstreams: {
        connectTimeout: 30_000,
        maxBufferedBytes: 8 * 1024 * 1024,
        backoffBase: 250,
        backoffMax: 30_000,
        shutdownGrace: 3000,
      },
      draining: {
        enabled: true,
        defaultTimeout: 30_000,
        notificationInterval: 5000,
        quietPeriod: 5000,
        lameDuck: 0,
        closeRate: 500,
        reconnectRate: 500,
      },
      pool: POOL,
      dashboard: { enabled: true, refreshInterval: 1000, historySize: 60, web: true, webActions: false },
      requestState: { secret: null },
      logging: { level: 'info' },
      admin: { socket: null },
      audit: { path: null, maxFileBytes: 64 * 1024 * 1024, maxFiles: 10, arguments: 'none', queue: 10_000, key: null },
      policy: { default: 'allow', tenantClaim: 'tenant', rules: [] },
      telemetry: { enabled: null, endpoint: null, samplingRate: null, parentBased: null, batchSize: null },
      tools: { pinning: 'off', file: null },
      credentials: { file: null },
    });
    assert.match(warnings[0]?.message ?? '', /no server/);
    const without = accepted(await loadConfig({ env: {} }));
    assert.deepEqual(without.config.gateway, config.gateway);
    assert.equal(without.config.source.file, null);
  });

  it('lets overrides win over the file', async () => {
    const gateway = { listen: { port: 1, host: 'localhost' }, logging: { level: 'warn' }, admin: { socket: 'a.sock' } };
    const overrides = {
      port: 2,
      host: '[::1]',
      dashboard: false,
      logLevel: 'debug',
      adminSocket: '/run/b.sock',
    } as const;
    const { config } = accepted(await load({ mcpServers: {}, gateway }, { overrides }));
    assert.deepEqual([config.gateway.listen.port, config.gateway.listen.host], [2, '::1']);
    assert.equal(config.gateway.dashboard.enabled, false);
    assert.equal(config.gateway.logging.level, 'debug');
    assert.equal(config.gateway.admin.socket, '/run/b.sock');
  });

  it('is frozen to the bottom, the map of servers too', async () => {
    const { config } = accepted(await load({ mcpServers: { a: { command: 'x', env: { A: '1' } } } }));
    const server = config.servers.get('a')!;
    assert.throws(() => Object.assign(config.gateway.listen, { port: 1 }), TypeError);
    assert.throws(() => Object.assign(server.target, { transport: 'ws' }), TypeError);
    assert.ok(server.target.transport === 'stdio' && Object.isFrozen(server.target.env));
    const map = config.servers as Map<string, unknown>;
    assert.throws(() => map.set('b', 1), TypeError);
    assert.throws(() => map.delete('a'), TypeError);
    assert.throws(() => map.clear(), TypeError);
    assert.equal(config.servers.size, 1);
  });
});

describe('config/load: files that cannot be read', () => {
  it('says so for a missing file, a folder, an empty file, another encoding and a huge file', async () => {
    await withFolder(async (folder) => {
      const missing = refused(await loadConfig({ file: path.join(folder, 'no.json'), env: {} }));
      assert.match(missing[0]!.message, /does not exist/);
      assert.match(refused(await loadConfig({ file: folder, env: {} }))[0]!.message, /folder/);
      const file = path.join(folder, 'x.json');
      await writeFile(file, Buffer.from([0x7b, 0xff, 0xfe, 0x7d]));
      assert.match(refused(await loadConfig({ file, env: {} }))[0]!.message, /UTF-8/);
      await writeFile(file, Buffer.alloc(4 * 1024 * 1024 + 1, ' '));
      assert.match(refused(await loadConfig({ file, env: {} }))[0]!.message, /larger/);
    });
    for (const name of ['x.json', 'x.yaml']) {
      assert.match(refused(await load(' \n', { name }))[0]!.message, /empty/);
    }
  });

  it('refuses a file that holds no object', async () => {
    for (const text of ['[1]', '"a"', '3', 'null']) {
      assert.match(refused(await load(text))[0]!.message, /must hold an object/);
    }
  });
});
