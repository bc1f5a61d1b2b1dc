import assert from 'node:assert/strict';
import { literalSecrets, variableName, withoutSecrets } from '#src/setup/secrets.js';

/** Each value is one that must be found. */
const SECRET = {
  env: {
    API_KEY: 'abcdef123',
    DB_URL: 'postgres://me:pass@host/db',
    ANY: 'ghp_0123456789abcdef',
    MY_PAT: 'aaaaaa-bbb',
  },
  headers: { Authorization: 'Bearer abc.def', 'X-Api-Key': 'k-123456' },
  args: ['--api-key', 'abcdefgh', '--token=abcdefgh', '--header', 'Authorization: Bearer xyz123', 'sk-ant-0123456789'],
  url: 'https://h/mcp?api_key=abcdefgh&x=1',
};

const HARMLESS = {
  env: {
    API_KEY: '${OTHER}',
    KEY_FILE: '/etc/key',
    TOKEN_LIMIT: '100000',
    AUTH_TYPE: 'oauth2',
    HOME_URL: 'http://x/y',
    DEBUG: 'true',
  },
  headers: { Accept: 'application/json', Authorization: 'Bearer ${TOKEN}' },
  args: [
    '-y',
    '@scope/server-key',
    '--key-file',
    '/a/b',
    '--max-tokens',
    '4096',
    'https://example.com/token',
    '--header',
  ],
  url: 'https://h/mcp?profile=default',
};

describe('secrets of servers', () => {
  it('are found by name and by form, and replaced where they stand', () => {
    const { entry, secrets } = withoutSecrets('git hub', SECRET);
    assert.deepEqual(
      secrets.map(({ where, variable }) => [where, variable]),
      [
        ['env.API_KEY', 'API_KEY'],
        ['env.DB_URL', 'DB_URL'],
        ['env.ANY', 'ANY'],
        ['env.MY_PAT', 'MY_PAT'],
        ['headers.Authorization', 'GIT_HUB_TOKEN'],
        ['headers.X-Api-Key', 'GIT_HUB_API_KEY'],
        ['args[1]', 'GIT_HUB_API_KEY'],
        ['args[2]', 'GIT_HUB_TOKEN'],
        ['args[4]', 'GIT_HUB_TOKEN'],
        ['args[5]', 'GIT_HUB_SECRET'],
        ['url', 'GIT_HUB_API_KEY'],
      ],
    );
    assert.deepEqual(entry, {
      env: { API_KEY: '${API_KEY}', DB_URL: '${DB_URL}', ANY: '${ANY}', MY_PAT: '${MY_PAT}' },
      headers: { Authorization: 'Bearer ${GIT_HUB_TOKEN}', 'X-Api-Key': '${GIT_HUB_API_KEY}' },
      args: [
        '--api-key',
        '${GIT_HUB_API_KEY}',
        '--token=${GIT_HUB_TOKEN}',
        '--header',
        'Authorization: Bearer ${GIT_HUB_TOKEN}',
        '${GIT_HUB_SECRET}',
      ],
      url: 'https://h/mcp?api_key=${GIT_HUB_API_KEY}&x=1',
    });
  });

  it('are not seen where there are none', () => {
    const { entry, secrets } = withoutSecrets('x', HARMLESS);
    assert.deepEqual(secrets, []);
    assert.deepEqual(entry, HARMLESS);
  });

  it('of a configuration are named by their paths', () => {
    const found = literalSecrets({
      mcpServers: { a: SECRET, b: HARMLESS },
      servers: { c: { env: { TOKEN: '123456x' } } },
    });
    assert.deepEqual(
      found.filter((path) => !path.startsWith('mcpServers.a.')),
      ['servers.c.env.TOKEN'],
    );
    assert.deepEqual(literalSecrets(undefined), []);
  });

  it('get names that a shell takes', () => {
    assert.deepEqual(
      [variableName('my docs!', 'x-y'), variableName('9lives'), variableName('__a__')],
      ['MY_DOCS_X_Y', 'VALUE_9LIVES', 'A'],
    );
  });
});
