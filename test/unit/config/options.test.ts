import assert from 'node:assert/strict';
import path from 'node:path';
import { EXIT_USAGE, parseProcessOptions, PROCESS_OPTIONS } from '#src/config/options.js';

function parsed(argv: string[], env: Record<string, string> = {}) {
  const result = parseProcessOptions(argv, env);
  assert.ok(result.ok, result.ok ? '' : result.text);
  return result.options;
}

describe('config/options', () => {
  it('is empty without arguments', () => {
    assert.deepEqual(parsed([]), { checkConfig: false, overrides: {} });
  });

  it('reads every flag', () => {
    const argv =
      '--config a.json --host ::1 --port 0 --no-dashboard --admin-socket s --pid-file p --log-level warn --check-config';
    assert.deepEqual(parsed([...argv.split(' '), '--insecure']), {
      config: 'a.json',
      checkConfig: true,
      pidFile: path.resolve('p'),
      overrides: {
        host: '::1',
        port: 0,
        dashboard: false,
        adminSocket: path.resolve('s'),
        logLevel: 'warn',
        insecure: true,
      },
    });
  });

  it('reads every variable the same', () => {
    const env = {
      VIABLE_CONFIG: 'a.json',
      VIABLE_HOST: '::1',
      VIABLE_PORT: '0',
      VIABLE_NO_DASHBOARD: '1',
      VIABLE_ADMIN_SOCKET: 's',
      VIABLE_PID_FILE: 'p',
      VIABLE_LOG_LEVEL: 'warn',
      VIABLE_CHECK_CONFIG: 'true',
      VIABLE_INSECURE: 'yes',
    };
    assert.deepEqual(
      Object.keys(env).sort(),
      Object.values(PROCESS_OPTIONS)
        .map((spec) => spec.env)
        .sort(),
    );
    const argv =
      '--config a.json --host ::1 --port 0 --no-dashboard --admin-socket s --pid-file p --log-level warn --check-config';
    assert.deepEqual(parsed([], env), parsed([...argv.split(' '), '--insecure']));
  });

  it('lets a flag win over its variable, and takes an empty variable for none', () => {
    assert.equal(parsed(['--port', '5'], { VIABLE_PORT: '6' }).overrides.port, 5);
    assert.deepEqual(parsed([], { VIABLE_PORT: '', VIABLE_INSECURE: 'off' }).overrides, {});
    assert.deepEqual(parsed([], { VIABLE_NO_DASHBOARD: 'false' }).overrides, { dashboard: true });
  });

  const wrong: [argv: string[], env: Record<string, string>, text: RegExp][] = [
    [['--port', 'x'], {}, /--port.*whole number from 0 to 65535/],
    [['--port', '65536'], {}, /whole number/],
    [['--port'], {}, /argument missing/],
    [['--host', ''], {}, /must not be empty/],
    [['--host', 'http://h'], {}, /without scheme or port/],
    [['--prt', '1'], {}, /Did you mean --port\?/],
    [['--log-level', 'wran'], {}, /Did you mean warn\?/],
    [['file.json'], {}, /too many arguments/],
    [[], { VIABLE_PORT: '-1' }, /VIABLE_PORT: must be a whole number/],
    [[], { VIABLE_INSECURE: 'perhaps' }, /VIABLE_INSECURE: must be true or false/],
  ];
  for (const [argv, env, text] of wrong) {
    it(`refuses ${JSON.stringify(argv)} ${JSON.stringify(env)}`, () => {
      const result = parseProcessOptions(argv, env);
      assert.ok(!result.ok);
      assert.equal(result.exit, EXIT_USAGE);
      assert.match(result.text, text);
    });
  }

  it('prints help that names every flag and variable, and the version', () => {
    const help = parseProcessOptions(['--help'], {});
    assert.ok(!help.ok && help.exit === 0);
    for (const { flag, env } of Object.values(PROCESS_OPTIONS)) {
      assert.ok(help.text.includes(flag) && help.text.includes(env), flag);
    }
    assert.deepEqual(parseProcessOptions(['--version'], {}, '1.2.3'), { ok: false, exit: 0, text: '1.2.3' });
  });
});
