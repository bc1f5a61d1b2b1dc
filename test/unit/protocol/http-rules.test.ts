import assert from 'node:assert/strict';
import {
  acceptsJsonAndSse,
  acceptsSse,
  checkHost,
  checkOrigin,
  isJsonContentType,
  isLoopbackHost,
  parseRoute,
} from '#src/protocol/http-rules.js';

describe('content negotiation', () => {
  it('wants both types on POST', () => {
    const good = [
      'application/json, text/event-stream',
      'text/event-stream,application/json',
      'Application/JSON; q=0.9, Text/Event-Stream;q=0.1',
      '*/*',
      'application/*, text/*',
      'text/html, */*;q=0.1',
    ];
    for (const accept of good) assert.ok(acceptsJsonAndSse(accept), accept);
    const bad = [
      undefined,
      '',
      'application/json',
      'text/event-stream',
      'text/html',
      'application/json, text/event-stream;q=0',
      '*/*, application/json;q=0.0',
      'application/jsonx, text/event-stream',
      'application/json text/event-stream',
    ];
    for (const accept of bad) assert.ok(!acceptsJsonAndSse(accept), accept);
  });

  it('wants an event stream on GET', () => {
    for (const accept of ['text/event-stream', 'text/*', '*/*', 'text/event-stream; charset=utf-8']) {
      assert.ok(acceptsSse(accept), accept);
    }
    for (const accept of [undefined, 'application/json', '*/*;q=0', 'text/*;q=0, */*']) assert.ok(!acceptsSse(accept));
  });

  it('takes JSON bodies in UTF-8 alone', () => {
    for (const type of ['application/json', 'Application/JSON ; charset=UTF-8', 'application/json;charset="utf-8"']) {
      assert.ok(isJsonContentType(type), type);
    }
    for (const type of [
      undefined,
      '',
      'text/plain',
      'application/json-rpc',
      'application/jsonp',
      'application/json;charset=utf-16',
      'text/plain; application/json',
    ]) {
      assert.ok(!isJsonContentType(type), type);
    }
  });
});

describe('checkHost', () => {
  const malformed = [
    undefined,
    '',
    ' ',
    'localhost:',
    'localhost:99999',
    'localhost:80:80',
    'user@localhost',
    'localhost/x',
    'localhost, evil.example',
    '::1',
    '[::1',
    '[::1]x',
    '[localhost]',
    '[12345::1]',
    'loc alhost',
  ];

  it('takes loopback names with any port on a loopback address', () => {
    for (const bind of ['127.0.0.1', '::1', 'localhost']) {
      for (const host of ['localhost', 'LOCALHOST:4000', 'localhost.:1', '127.0.0.1:80', '127.9.8.7', '[::1]:4000']) {
        assert.ok(checkHost(host, bind), `${host} at ${bind}`);
      }
    }
  });

  it('refuses everything else there, look-alikes of loopback first', () => {
    const bad = [
      ...malformed,
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '127.1',
      '0x7f.1',
      '2130706433',
      '0177.0.0.1',
      '0.0.0.0',
      '192.168.1.5',
      '[::ffff:127.0.0.1]',
      'null',
    ];
    for (const host of bad) assert.ok(!checkHost(host, '127.0.0.1'), host);
  });

  it('takes addresses, but no names, on other addresses', () => {
    for (const host of ['192.168.1.5:4000', '[fe80::1]', 'localhost', 'GATEWAY.lan']) {
      assert.ok(checkHost(host, 'gateway.lan'), host);
    }
    for (const host of [...malformed, 'evil.example', 'gateway.lan.evil.example']) {
      assert.ok(!checkHost(host, '0.0.0.0'), host);
    }
  });

  it('takes listed hosts, with any port or the listed one', () => {
    const listed = ['mcp.example.com', 'Other.example:8443', 'fd00::7'];
    for (const host of ['mcp.example.com', 'MCP.example.com:443', 'other.example:8443', '[fd00::7]:1']) {
      assert.ok(checkHost(host, '127.0.0.1', listed), host);
    }
    for (const host of ['other.example', 'other.example:443', 'x.mcp.example.com', 'example.com']) {
      assert.ok(!checkHost(host, '127.0.0.1', listed), host);
    }
    assert.ok(checkHost('anything.example', '127.0.0.1', ['*']));
    assert.ok(!checkHost('not a host', '127.0.0.1', ['*']));
  });

  it('knows loopback hosts', () => {
    assert.deepEqual(['localhost', '127.0.0.53', '::1', '10.0.0.1', '127.x'].map(isLoopbackHost), [
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('checkOrigin', () => {
  it('takes programs, loopback pages and listed origins', () => {
    for (const origin of [undefined, 'http://localhost:6274', 'https://127.0.0.1', 'http://[::1]:1']) {
      assert.ok(checkOrigin(origin, 'localhost:4000'), origin);
    }
    const listed = ['https://App.example.com/', 'vscode-webview://abc'];
    for (const origin of ['https://app.example.com', 'vscode-webview://abc']) {
      assert.ok(checkOrigin(origin, 'localhost:4000', listed), origin);
    }
    assert.ok(checkOrigin('https://any.example', 'localhost', ['*']));
  });

  it('refuses every other page, and null always', () => {
    const bad = [
      'null',
      'NULL',
      '',
      'evil',
      'http://evil.example',
      'http://localhost.evil.example',
      'http://localhost@evil.example',
      'http://evil.example#localhost',
      'http://127.0.0.1.evil.example',
      'http://localhost/path',
      'ftp://localhost',
      'file://',
      'http://localhost, http://evil.example',
    ];
    for (const origin of bad) assert.ok(!checkOrigin(origin, 'localhost:4000'), origin);
    assert.ok(!checkOrigin('null', 'localhost:4000', ['*', 'null']));
    assert.ok(!checkOrigin('http://app.example.com', 'localhost', ['https://app.example.com']));
    assert.ok(!checkOrigin('https://app.example.com:8443', 'localhost', ['https://app.example.com']));
  });

  it('takes the page that the gateway served under an address, not under a name', () => {
    assert.ok(checkOrigin('http://192.168.1.5:4000', '192.168.1.5:4000'));
    assert.ok(!checkOrigin('http://192.168.1.5:4001', '192.168.1.5:4000'));
    assert.ok(!checkOrigin('http://rebound.example:4000', 'rebound.example:4000'));
    assert.ok(!checkOrigin('http://192.168.1.5:4000', undefined));
  });
});

describe('parseRoute', () => {
  it('knows every path', () => {
    const routes: [string, string][] = [
      ['/mcp', 'aggregate'],
      ['/mcp/', 'aggregate'],
      ['/mcp?token=x', 'aggregate'],
      ['/mcp/sse?token=a/b', 'sse'],
      ['/mcp/messages?sessionId=1', 'messages'],
      ['/mcp/ws', 'ws'],
      ['/mcp/ws/websocket?vsn=2.0.0', 'phoenix'],
      ['/mcp/dashboard', 'dashboard'],
      ['/metrics', 'metrics'],
      ['/healthz', 'health'],
      ['/readyz', 'ready'],
      ['/.well-known/oauth-protected-resource', 'resource-metadata'],
      ['/.well-known/oauth-protected-resource/mcp', 'resource-metadata'],
    ];
    for (const [target, kind] of routes) assert.equal(parseRoute(target).kind, kind, target);
  });

  it('decodes the name of a server as one segment', () => {
    const name = (target: string): string | undefined => {
      const route = parseRoute(target);
      return route.kind === 'server' ? route.name : undefined;
    };
    assert.equal(name('/mcp/s/memory'), 'memory');
    assert.equal(name('/mcp/s/memory/?x=1'), 'memory');
    assert.equal(name('/mcp/s/My%20Server'), 'My Server');
    assert.equal(name('/mcp/s/a%2Fb'), 'a/b');
    assert.equal(name('/mcp/s/%E2%82%AC'), '€');
    assert.equal(name('/mcp/s/__proto__'), '__proto__');
    assert.equal(name('/mcp/s/%2e%2e'), '..');
  });

  it('tells toolsets from servers', () => {
    assert.deepEqual(parseRoute('/mcp/t/reader?x=1'), { kind: 'toolset', name: 'reader' });
    assert.deepEqual(parseRoute('/mcp/t/a%2Fb/'), { kind: 'toolset', name: 'a/b' });
    assert.deepEqual(parseRoute('/mcp/s/t'), { kind: 'server', name: 't' });
    for (const target of ['/mcp/t', '/mcp/t/', '/mcp/t/a/b', '/mcp/T/a', '/mcp/x/a'])
      assert.equal(parseRoute(target).kind, 'unknown', target);
  });

  it('knows nothing else, and never throws', () => {
    const unknown = [
      '',
      '/',
      'mcp',
      '/MCP',
      '//mcp',
      '/mcp//',
      '/mcp/s',
      '/mcp/s/',
      '/mcp/s/a/b',
      '/mcp/s/../sse',
      '/mcp/s/%',
      '/mcp/s/%ff',
      `/mcp/s/${'a'.repeat(257)}`,
      '/%6dcp',
      '/mcp/%73se',
      '/__proto__',
      'http://evil.example/mcp',
      '*',
    ];
    for (const target of unknown) assert.equal(parseRoute(target).kind, 'unknown', target);
  });
});
