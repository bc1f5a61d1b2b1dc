import assert from 'node:assert/strict';
import { renderProblems, renderProblemsJson } from '#src/config/problems.js';
import { load, problemAt, refused, accepted } from './support.js';

/** A server entry, the path of the expected problem below it, what it says, and what it suggests. */
type ServerCase = [name: string, entry: unknown, path: string, message: RegExp, suggestion?: RegExp];

const SERVER_CASES: ServerCase[] = [
  ['a misspelt command', { comand: 'x' }, '.comand', /unknown key/, /did you mean `command`\?/],
  ['an alias of another client', { serverUrl: 'http://h' }, '.serverUrl', /unknown key/, /did you mean `url`\?/],
  ['an option outside its block', { command: 'x', prefix: 'p' }, '.prefix', /unknown key/, /`viable\.prefix`/],
  ['enabled', { command: 'x', enabled: false }, '.enabled', /unknown key/, /did you mean `disabled`\?/],
  ['a key like nothing known', { command: 'x', zzzzzz: 1 }, '.zzzzzz', /unknown key/, /known here: `command`/],
  ['a misspelt type', { command: 'x', type: 'stdoi' }, '.type', /not `stdoi`/, /did you mean `stdio`\?/],
  ['both targets', { command: 'x', url: 'http://h' }, '', /both `command` and `url`/, /keep one/],
  ['no target', { args: [] }, '', /`command` or `url` is missing/, /npx/],
  ['a type without its url', { type: 'http' }, '', /`url` is missing/, /https/],
  ['a command with type http', { command: 'x', type: 'http' }, '.type', /does not go with `command`/, /stdio/],
  ['a url with type stdio', { url: 'http://h', type: 'stdio' }, '.type', /does not go with `url`/, /`http`/],
  ['a url without scheme', { url: 'localhost:3000/mcp' }, '.url', /scheme is missing/, /`http:\/\/`/],
  ['a ws url without scheme', { url: 'h/x', type: 'ws' }, '.url', /scheme is missing/, /`ws:\/\/`/],
  ['a url of another scheme', { url: 'ftp://h' }, '.url', /must begin with `http:\/\/`/],
  ['a ws url with type http', { url: 'ws://h', type: 'http' }, '.url', /does not go with/, /"type": "ws"/],
  ['a url that is none', { url: 'http://h:99999/' }, '.url', /no valid URL/],
  ['a url with a password', { url: 'http://me:s3cret@h/' }, '.url', /user name or password/, /headers/],
  ['an empty command', { command: '' }, '.command', /must not be empty/],
  ['args that are text', { command: 'x', args: '-v' }, '.args', /must be a list, not a string/, /brackets/],
  ['an arg that is a list', { command: 'x', args: [['a']] }, '.args[0]', /must be a string/],
  ['env that is a list', { command: 'x', env: ['A=1'] }, '.env', /must be an object, not a list/],
  ['a null variable', { command: 'x', env: { A: null } }, '.env.A', /must be a string/],
  ['disabled as text', { command: 'x', disabled: 'true' }, '.disabled', /must be true or false/, /without quotes/],
  ['a header name with a space', { url: 'http://h', headers: { 'a b': 'x' } }, '.headers["a b"]', /header name/],
  ['a header with a line break', { url: 'http://h', headers: { a: 'x\r\nb: c' } }, '.headers.a', /line break/],
  ['a bad prefix', { command: 'x', viable: { prefix: 'a b' } }, '.viable.prefix', /letters, digits/],
  ['a prefix that ends like a separator', { command: 'x', viable: { prefix: 'a_' } }, '.viable.prefix', /single `_`/],
  ['a prefix with the separator', { command: 'x', viable: { prefix: 'a__b' } }, '.viable.prefix', /single `_`/],
  ['a misspelt viable option', { command: 'x', viable: { alow: [] } }, '.viable.alow', /unknown/, /`allow`/],
  ['an empty glob', { command: 'x', viable: { deny: [''] } }, '.viable.deny[0]', /must not be empty/],
  ['an endless glob', { command: 'x', viable: { deny: ['*'.repeat(999)] } }, '.viable.deny[0]', /at most 256/],
  ['an entry that is text', 'npx x', '', /must be an object, not a string/],
];

/** A `gateway` block, the path of the expected problem, what it says, and what it suggests. */
const GATEWAY_CASES: ServerCase[] = [
  ['a port that is text', { listen: { port: 'abc' } }, '.listen.port', /must be a number, not a string/, /number/],
  ['a quoted port', { listen: { port: '4000' } }, '.listen.port', /not a string/, /write 4000 without quotes/],
  ['a port too big', { listen: { port: 70000 } }, '.listen.port', /at most 65535/],
  ['a fraction', { listen: { port: 1.5 } }, '.listen.port', /whole number, not a fraction/],
  ['an option one level too high', { port: 1 }, '.port', /unknown key/, /did you mean `gateway\.listen\.port`\?/],
  ['a time with a unit', { requests: { timeout: '30s' } }, '.requests.timeout', /not a string/, /write 30000/],
  ['a size with a unit', { listen: { maxBodyBytes: '8 MiB' } }, '.listen.maxBodyBytes', /not/, /write 8388608/],
  [
    'a time in no unit',
    { requests: { timeout: '3 constructor' } },
    '.requests.timeout',
    /not a string/,
    /write a number/,
  ],
  ['a time of zero', { requests: { timeout: 0 } }, '.requests.timeout', /at least 1 \(milliseconds\)/],
  ['snake case', { requests: { max_in_flight: 1 } }, '.requests.max_in_flight', /unknown/, /`maxInFlight`/],
  ['a misspelt block', { loging: {} }, '.loging', /unknown key/, /`logging`/],
  ['a misspelt level', { logging: { level: 'wran' } }, '.logging.level', /must be one of/, /`warn`/],
  ['a block that is off', { dashboard: false }, '.dashboard', /must be an object, not `false`/],
  ['an address with a port', { listen: { host: '127.0.0.1:4000' } }, '.listen.host', /without scheme or port/],
  ['an address with a scheme', { listen: { host: 'http://localhost' } }, '.listen.host', /without scheme or port/],
  ['an origin with a path', { listen: { allowedOrigins: ['http://a/'] } }, '.listen.allowedOrigins[0]', /an origin/],
  ['a host with a scheme', { listen: { allowedHosts: ['http://a'] } }, '.listen.allowedHosts[0]', /host name/],
  ['a public address', { listen: { host: '0.0.0.0' } }, '.listen.host', /must log in/, /JWT_SECRET.*--insecure/],
];

describe('config/problems: mistakes in a server', () => {
  for (const [name, entry, path, message, suggestion] of SERVER_CASES) {
    it(`explains ${name}`, async () => {
      const problems = refused(await load({ mcpServers: { s: entry } }));
      const problem = problemAt(problems, `mcpServers.s${path}`);
      assert.match(problem.message, message);
      if (suggestion !== undefined) assert.match(problem.suggestion ?? '', suggestion);
      assert.ok(problem.line !== undefined && problem.column !== undefined);
      assert.equal(problems.length, 1, JSON.stringify(problems));
    });
  }

  for (const name of ['', ' ', 'a/b', 'a\u001b[31m', '..', 'x'.repeat(65)]) {
    it(`refuses ${JSON.stringify(name.slice(0, 8))} as a name`, async () => {
      const [problem] = refused(await load({ mcpServers: { [name]: { command: 'x' } } }));
      assert.match(problem!.message, /name of a server/);
      assert.doesNotMatch(problem!.path + problem!.message, /\p{Cc}/u);
    });
  }

  it('takes the names that every object inherits for what they are', async () => {
    const inherited = { constructor: 1, valueOf: '${NO}', toString: {} };
    const problems = refused(await load({ ...inherited, mcpServers: { s: { command: 'x', ...inherited } } }));
    const unknown = problems.filter((problem) => problem.message === 'unknown key').map((problem) => problem.path);
    assert.deepEqual(unknown.sort(), ['constructor', 'mcpServers.s.constructor', 'mcpServers.s.toString', 'toString']);
    accepted(await load('{"mcpServers": {"constructor": {"command": "x"}}}'));
  });

  it('warns of a command with arguments in it, and of fields that do nothing', async () => {
    const mcpServers = {
      a: { command: 'npx -y server' },
      b: { url: 'http://h', env: { A: '1' }, args: [] },
      c: { command: 'x', headers: { a: 'b' } },
    };
    const { warnings } = accepted(await load({ mcpServers }));
    assert.deepEqual(
      warnings.map((warning) => warning.path),
      ['mcpServers.a.command', 'mcpServers.b.env', 'mcpServers.c.headers'],
    );
  });
});

describe('config/problems: mistakes in the gateway block', () => {
  for (const [name, gateway, path, message, suggestion] of GATEWAY_CASES) {
    it(`explains ${name}`, async () => {
      const problems = refused(await load({ mcpServers: {}, gateway }));
      const problem = problemAt(problems, `gateway${path}`);
      assert.match(problem.message, message);
      if (suggestion !== undefined) assert.match(problem.suggestion ?? '', suggestion);
      assert.equal(problems.length, 1, JSON.stringify(problems));
    });
  }

  it('refuses an address that others reach from the command line as well, unless --insecure', async () => {
    const file = { mcpServers: {} };
    for (const host of ['0.0.0.0', '::', '192.168.1.2', 'example.com', '127.0.0.1.example.com']) {
      const problems = refused(await load(file, { overrides: { host } }));
      assert.match(problemAt(problems, 'gateway.listen.host').message, /must log in/);
      accepted(await load(file, { overrides: { host, insecure: true } }));
    }
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', '[::1]', 'localhost', 'LOCALHOST.', '::ffff:127.0.0.1']) {
      accepted(await load(file, { overrides: { host } }));
    }
  });
});

describe('config/problems: where and how', () => {
  it('reports all mistakes of a file at once, each once, with line and column, in the order of the file', async () => {
    const text = `{
  "mcpServer": {},
  "mcpServers": {
    "a": { "comand": "x" },
    "b": { "url": "\${NOPE}" }
  },
  "gateway": { "listen": { "port": "abc", "host": "0.0.0.0" } }
}`;
    const problems = refused(await load(text));
    assert.deepEqual(
      problems.map(({ path, line, column }) => [path, line, column]),
      [
        ['mcpServer', 2, 3],
        ['mcpServers.a.comand', 4, 12],
        ['mcpServers.b.url', 5, 19],
        ['gateway.listen.port', 7, 36],
        ['gateway.listen.host', 7, 51],
      ],
    );
  });

  it('knows line and column in YAML, too', async () => {
    const text = 'mcpServers:\n  a:\n    command: x\n    args:\n      - [b]\n  c: {comand: y}\n';
    const problems = refused(await load(text, { name: 'x.yaml' }));
    assert.deepEqual(
      problems.map(({ path, line, column }) => [path, line, column]),
      [
        ['mcpServers.a.args[0]', 5, 9],
        ['mcpServers.c.comand', 6, 7],
      ],
    );
  });

  it('renders for people and for scripts', async () => {
    const problems = refused(await load('{"mcpServers": {"a": {"comand": "x"}}}'));
    assert.equal(
      renderProblems(problems, '/etc/viable.json'),
      '/etc/viable.json:1:23\n  mcpServers.a.comand: unknown key\n  → did you mean `command`?',
    );
    assert.deepEqual(JSON.parse(renderProblemsJson(problems, null)), { file: null, problems });
  });

  it('never shows a value that may be a secret', async () => {
    const secret = 'hunter2secret';
    const env = { SECRET: secret };
    const inputs: [text: string, name: string][] = [
      [`{"mcpServers": {"a": {"url": "${secret}"}}}`, 'x.json'],
      [`{"mcpServers": {"a": {"url": "ftp://${secret}"}}}`, 'x.json'],
      [`{"mcpServers": {"a": {"url": "http://u:${secret}@h"}}}`, 'x.json'],
      [`{"mcpServers": {"a": {"url": "http://h", "headers": {"A": "${secret}\\n"}}}}`, 'x.json'],
      ['{"mcpServers": {"a": {"command": "x", "type": "${SECRET}"}}}', 'x.json'],
      ['{"gateway": {"listen": {"port": "${SECRET}"}, "logging": {"level": "${SECRET}"}}}', 'x.json'],
      [`{"gateway": {"listen": {"port": "${secret}"}}}`, 'x.json'],
      [`{"a": {"TOKEN": "${secret}" "B": "${secret}"}}`, 'x.json'],
      [`{"a": {"TOKEN": "${secret}}}`, 'x.json'],
      [`{"a": {"TOKEN": ${secret}}}`, 'x.json'],
      [`{"a": {"TOKEN": '${secret}'}}`, 'x.json'],
      [`a:\n  TOKEN: "${secret}\n  b: 1\n`, 'x.yaml'],
      [`a:\n  TOKEN: "x" ${secret}\n`, 'x.yaml'],
      [`a:\n  TOKEN: @${secret}\n`, 'x.yaml'],
      [`a:\n  TOKEN: *${secret}\n`, 'x.yaml'],
      [`a:\n\tTOKEN: ${secret}: ${secret}: b\n`, 'x.yaml'],
    ];
    for (const [text, name] of inputs) {
      const problems = refused(await load(text, { name, env }));
      assert.doesNotMatch(JSON.stringify(problems) + renderProblems(problems, name), new RegExp(secret), text);
    }
  });
});
