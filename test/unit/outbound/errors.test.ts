import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describeTarget } from '#src/transports/outbound/create.js';
import { connectFailed, httpStatus, redactUrl } from '#src/transports/outbound/errors.js';

describe('redactUrl', () => {
  it('keeps scheme, host and path, and hides the rest', () => {
    assert.equal(
      redactUrl('https://me:pw@host.example:8443/mcp?key=abc#part'),
      'https://***@host.example:8443/mcp?***',
    );
    assert.equal(redactUrl('http://host.example/mcp'), 'http://host.example/mcp');
    assert.equal(redactUrl(new URL('ws://[::1]:1/')), 'ws://[::1]:1/');
    assert.equal(redactUrl('not a URL with secret'), '<invalid URL>');
  });

  it('never shows user info, query or fragment', () => {
    const secret = fc.stringMatching(/^SECRET[a-z0-9]{6,20}$/);
    fc.assert(
      fc.property(secret, fc.webPath(), (word, path) => {
        const url = `https://${word}:${word}@host.example${path}?a=${word}&${word}#${word}`;
        assert.ok(!redactUrl(url).includes(word));
      }),
    );
  });
});

describe('transport errors', () => {
  it('explain a failed connection by its code and quote no library text', () => {
    const error = Object.assign(new Error('Bearer SECRET'), { code: 'ECONNREFUSED' });
    assert.equal(
      connectFailed('http://host/mcp?k=SECRET', error).message,
      'cannot connect to http://host/mcp?***: connection refused; is the server running there?',
    );
    assert.match(connectFailed('http://host/', new TypeError('SECRET')).message, /: TypeError$/);
    assert.match(connectFailed('http://host/', 'SECRET').message, /: unknown error$/);
  });

  it('strip what a server said and hide the query of a redirect', () => {
    assert.equal(httpStatus('http://h/', 500, 'a\u001b[31mb\nc').message, 'http://h/ answered 500: ab c');
    const { kind, message } = httpStatus('http://h/', 302, '', '/login?token=SECRET');
    assert.equal(kind, 'http_status');
    assert.equal(message, 'http://h/ redirects to http://h/login?***; redirects are not followed, set the final URL');
    assert.match(httpStatus('http://h/', 302, '', 'http://[').message, /<invalid URL>/);
  });

  it('tell missing credentials from insufficient ones', () => {
    assert.deepEqual(
      [401, 403].map((status) => httpStatus('http://h/', status, '')),
      [
        { kind: 'unauthorized', status: 401, message: 'http://h/ answered 401; check its credentials in the headers' },
        { kind: 'unauthorized', status: 403, message: 'http://h/ answered 403; its credentials do not allow this' },
      ],
    );
  });
});

describe('describeTarget', () => {
  it('shows a command line without what looks secret, and no environment', () => {
    const description = describeTarget({
      transport: 'stdio',
      command: 'npx',
      args: [
        ...['-y', 'server', '--api-key', 'S1', '--token=S2', 'postgres://u:S3@db/x?sslkey=S4', 'API_KEY=S5'],
        ...['--url=http://S6@h/', '--header', 'Authorization: Bearer S7', '--password', '--verbose', 'x\ny'],
      ],
      env: { TOKEN: 'S8' },
    });
    assert.doesNotMatch(description, /S\d/);
    assert.equal(
      description,
      'npx -y server --api-key *** --token=*** postgres://***@db/x?*** API_KEY=*** --url=http://***@h/ ' +
        '--header Authorization: *** --password --verbose x y',
    );
  });

  it('shows a URL without secrets, and no headers', () => {
    const headers = { authorization: 'SECRET' };
    assert.equal(describeTarget({ transport: 'http', url: 'https://h/mcp?k=SECRET', headers }), 'https://h/mcp?***');
  });
});
