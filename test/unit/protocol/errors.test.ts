import assert from 'node:assert/strict';
import {
  ADMIN_ERRORS,
  ERRORS,
  errorEntry,
  gatewayError,
  modernError,
  modernHttpStatus,
  renderErrorsPage,
  type ErrorName,
} from '#src/protocol/errors.js';

const names = Object.keys(ERRORS) as ErrorName[];
const byOrigin = (origin: string): ErrorName[] => names.filter((name) => errorEntry(name).origin === origin);

describe('the error catalogue', () => {
  it('gives our own conditions codes of their own outside the reserved ranges', () => {
    const codes = byOrigin('gateway').map((name) => ERRORS[name].code);
    assert.ok(codes.length > 0);
    assert.equal(new Set(codes).size, codes.length);
    for (const code of codes) assert.ok(code < -32768 || code > -32000, `${code} is reserved`);
  });

  it('uses the codes of the specifications for everything else', () => {
    const allowed = {
      'json-rpc': [-32700, -32600, -32601, -32602, -32603],
      mcp: [-32602, -32002, -32020, -32021, -32022],
      sdk: [-32000, -32001],
    };
    for (const [origin, codes] of Object.entries(allowed)) {
      for (const name of byOrigin(origin)) assert.ok(codes.includes(ERRORS[name].code), name);
    }
  });

  it('has the codes and statuses that clients rely on', () => {
    const expected: [ErrorName, number, number][] = [
      ['parse_error', -32700, 400],
      ['invalid_request', -32600, 400],
      ['too_deep', -32600, 400],
      ['duplicate_key', -32600, 400],
      ['batch_unsupported', -32600, 400],
      ['method_not_found', -32601, 200],
      ['unknown_tool', -32602, 200],
      ['invalid_cursor', -32602, 200],
      ['resource_not_found', -32002, 200],
      ['invalid_envelope', -32602, 400],
      ['header_mismatch', -32020, 400],
      ['missing_client_capability', -32021, 400],
      ['unsupported_protocol_version', -32022, 400],
      ['session_not_found', -32001, 404],
      ['session_required', -32000, 400],
      ['session_exists', -32000, 409],
      ['not_acceptable', -32000, 406],
      ['unsupported_media_type', -32000, 415],
      ['method_not_allowed', -32000, 405],
      ['payload_too_large', -32000, 413],
      ['forbidden_origin', -32000, 403],
      ['forbidden_host', -32000, 403],
    ];
    for (const [name, code, status] of expected) {
      assert.deepEqual([ERRORS[name].code, ERRORS[name].httpStatus], [code, status], name);
    }
    assert.deepEqual(
      (['unknown_route', 'too_many_sessions', 'draining'] as const).map((name) => ERRORS[name].httpStatus),
      [404, 503, 503],
    );
  });

  it('calls nothing retryable that may have run', () => {
    for (const name of names) {
      const { retryable, meaning } = errorEntry(name);
      if (/may have run/.test(meaning)) assert.equal(retryable, false, name);
    }
  });

  it('says what happened and what to do, in whole sentences', () => {
    for (const [name, entry] of [...Object.entries(ERRORS), ...Object.entries(ADMIN_ERRORS)]) {
      assert.match(name, /^[a-z]+(_[a-z]+)*$/);
      assert.match(entry.meaning, /^[A-Z].*\.$/, name);
      assert.match(entry.remedy, /[.}]$/, name);
    }
    for (const name of names) assert.doesNotMatch(ERRORS[name].message, /\.$/, name);
  });
});

describe('gatewayError', () => {
  it('carries the name as reason', () => {
    for (const name of names) {
      const { code, message } = ERRORS[name];
      assert.deepEqual(gatewayError(name), { code, message, data: { reason: name } });
    }
  });

  it('appends a detail and adds data, which cannot replace the reason', () => {
    assert.deepEqual(gatewayError('unknown_tool', 'a__b', { name: 'a__b', reason: 'other' }), {
      code: -32602,
      message: 'Unknown tool: a__b',
      data: { name: 'a__b', reason: 'unknown_tool' },
    });
  });
});

describe('modernError and modernHttpStatus', () => {
  it('give the codes and statuses of 2026-07-28', () => {
    const expected: [ErrorName, number, number][] = [
      ['parse_error', -32700, 400],
      ['method_not_found', -32601, 404],
      ['invalid_params', -32602, 200],
      ['invalid_envelope', -32602, 400],
      ['invalid_request_state', -32602, 200],
      ['unknown_tool', -32602, 200],
      ['resource_not_found', -32602, 200],
      ['header_mismatch', -32020, 400],
      ['missing_client_capability', -32021, 400],
      ['unsupported_protocol_version', -32022, 400],
    ];
    for (const [name, code, status] of expected) {
      assert.deepEqual([modernError(name).code, modernHttpStatus(name)], [code, status], name);
    }
  });

  it('say the rest as in the legacy era', () => {
    for (const name of names) {
      const legacy = gatewayError(name, 'detail', { member: 1 });
      const modern = modernError(name, 'detail', { member: 1 });
      assert.deepEqual({ ...modern, code: legacy.code }, legacy);
      assert.ok(![-32002, -32042].includes(modern.code), name);
    }
  });
});

describe('renderErrorsPage', () => {
  it('documents every name, code, remedy and data member once', () => {
    const page = renderErrorsPage();
    for (const name of names) {
      const entry = errorEntry(name);
      assert.equal(page.split(`\n## ${name}\n`).length, 2, name);
      assert.ok(page.includes(`| [\`${name}\`](#${name}) | ${entry.code}`), name);
      assert.ok(page.includes(entry.meaning) && page.includes(entry.remedy), name);
      for (const member of Object.keys(entry.data ?? {})) assert.ok(page.includes(`\`data.${member}\``), name);
    }
    for (const name of Object.keys(ADMIN_ERRORS)) assert.ok(page.includes(`| \`${name}\` | `), name);
  });

  it('shows what differs in the modern era', () => {
    const page = renderErrorsPage();
    assert.match(page, /\| \[`resource_not_found`\]\(#resource_not_found\) \| -32002, modern -32602 \| MCP \| 200 \|/);
    assert.match(
      page,
      /\| \[`method_not_found`\]\(#method_not_found\) \| -32601 \| JSON-RPC 2\.0 \| 200, modern 404 \|/,
    );
  });

  it('breaks no table', () => {
    for (const line of renderErrorsPage().split('\n')) {
      if (line.startsWith('| [`')) assert.equal(line.split('|').length, 7, line);
      else if (line.startsWith('| ')) assert.ok([5, 7].includes(line.split('|').length), line);
    }
  });
});
