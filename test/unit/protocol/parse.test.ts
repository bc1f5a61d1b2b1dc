import assert from 'node:assert/strict';
import { CLIENT_LIMITS, parseFrame, type FrameFault, type ParsedFrame } from '#src/protocol/parse.js';
import { errorText, isJsonRpcId, resultText, type JsonRpcId } from '#src/protocol/jsonrpc.js';

function refused(text: string): { error: FrameFault; id: JsonRpcId | null } {
  const frame = parseFrame(text);
  assert.ok(frame.kind === 'invalid', `${text} was taken as ${frame.kind}`);
  assert.notEqual(frame.detail, '');
  return { error: frame.error, id: frame.id };
}

function assertInvalid(text: string, error: FrameFault, id: JsonRpcId | null): void {
  assert.deepEqual(refused(text), { error, id }, text);
}

/** A message with these members after `jsonrpc`. */
const envelope = (members: string): string => `{"jsonrpc":"2.0",${members}}`;

describe('parseFrame: valid messages', () => {
  it('tells requests, notifications, results and errors apart', () => {
    const cases: [string, ParsedFrame['kind']][] = [
      [envelope('"id":1,"method":"ping"'), 'request'],
      [envelope('"id":"a","method":"tools/call","params":{"name":"x"}'), 'request'],
      [envelope('"method":"notifications/initialized"'), 'notification'],
      [envelope('"id":1,"result":{}'), 'response'],
      [envelope('"id":1,"error":{"code":-32601,"message":"no"}'), 'response'],
      [envelope('"id":null,"error":{"code":-32700,"message":"no"}'), 'response'],
    ];
    for (const [text, kind] of cases) {
      const frame = parseFrame(text);
      assert.equal(frame.kind, kind, text);
      assert.ok(frame.kind !== 'batch' && frame.kind !== 'invalid');
      assert.deepEqual(frame.message, JSON.parse(text));
    }
  });

  it('keeps 1 and "1" apart, and takes zero, negative and exact integers', () => {
    for (const id of [1, '1', 0, -7, Number.MAX_SAFE_INTEGER, '']) {
      const frame = parseFrame(envelope(`"id":${JSON.stringify(id)},"method":"ping"`));
      assert.ok(frame.kind === 'request');
      assert.strictEqual(frame.message.id, id);
    }
  });

  it('takes an error response without an id, as MCP 2025-11-25 allows, and gives it the id null', () => {
    const frame = parseFrame(envelope('"error":{"code":1,"message":"m"}'));
    assert.ok(frame.kind === 'response');
    assert.deepEqual(frame.message, { jsonrpc: '2.0', id: null, error: { code: 1, message: 'm' } });
  });

  it('takes white space of every kind around every token', () => {
    const text = '\r\n\t {\t"jsonrpc" : "2.0" ,\n"id"\r: 1 , "method" : "m" , "params" : { "a" : [ ] } } \n';
    assert.equal(parseFrame(text).kind, 'request');
  });

  it('takes the same name in different objects', () => {
    const members = '"id":1,"method":"m","params":{"id":1,"method":2,"name":{"name":1},"list":[{"a":1},{"a":1}]}';
    assert.equal(parseFrame(envelope(members)).kind, 'request');
  });

  it('takes members named in values, after braces inside strings', () => {
    const members = '"id":1,"method":"}{\\"id\\":","params":{"a":"name","name":"\\\\","b":"{\\"name\\":1"}';
    assert.equal(parseFrame(envelope(members)).kind, 'request');
  });
});

describe('parseFrame: refusals', () => {
  it('refuses what is no JSON', () => {
    for (const text of ['', ' ', '{', '}', '"', '"\\', '{"a":}', 'nul', '\ufeff{}', '{"jsonrpc":"2.0"', "{'a':1}"]) {
      assertInvalid(text, 'parse_error', null);
    }
  });

  it('refuses JSON that is no object', () => {
    for (const text of ['null', '1', '"x"', 'true']) assertInvalid(text, 'invalid_request', null);
  });

  it('refuses a wrong jsonrpc member but answers to the id', () => {
    assertInvalid('{"id":4,"method":"m"}', 'invalid_request', 4);
    assertInvalid('{"jsonrpc":"1.0","id":4,"method":"m"}', 'invalid_request', 4);
    assertInvalid('{"jsonrpc":2,"id":"q","method":"m"}', 'invalid_request', 'q');
  });

  it('refuses ids that are no string or exact integer', () => {
    for (const id of ['null', '1.5', '{}', '[]', 'true', '1e400', '9007199254740993']) {
      assertInvalid(envelope(`"id":${id},"method":"m"`), 'invalid_request', null);
      assertInvalid(envelope(`"id":${id},"result":{}`), 'invalid_request', null);
    }
    assertInvalid(envelope('"id":{},"error":{"code":1,"message":"m"}'), 'invalid_request', null);
  });

  it('refuses a method that is no string, and params that are no object', () => {
    assertInvalid(envelope('"id":1,"method":7'), 'invalid_request', 1);
    assertInvalid(envelope('"id":1,"method":null'), 'invalid_request', 1);
    for (const params of ['[]', '[1]', 'null', '"x"', '1']) {
      assertInvalid(envelope(`"id":1,"method":"m","params":${params}`), 'invalid_params', 1);
      assertInvalid(envelope(`"method":"m","params":${params}`), 'invalid_request', null);
    }
  });

  it('refuses responses that do not have exactly one object as result or error', () => {
    const bad = [
      '"id":1',
      '"id":1,"result":{},"error":{"code":1,"message":"m"}',
      '"id":1,"result":[]',
      '"id":1,"result":null',
      '"id":1,"result":"x"',
      '"id":1,"error":null',
      '"id":1,"error":{"code":1.5,"message":"m"}',
      '"id":1,"error":{"code":"1","message":"m"}',
      '"id":1,"error":{"code":1}',
      '"id":1,"result":{},"method":"m"',
      '"id":1,"result":{},"params":{}',
    ];
    for (const members of bad) assertInvalid(envelope(members), 'invalid_request', 1);
    assertInvalid(envelope('"result":{}'), 'invalid_request', null);
  });

  it('holds nothing of the input in the detail', () => {
    const frame = parseFrame('{"jsonrpc":"2.0","id":1,"method":"\u001b[31msecret');
    assert.ok(frame.kind === 'invalid');
    assert.doesNotMatch(frame.detail, /secret|\[31m/);
  });
});

describe('parseFrame: names that stand twice', () => {
  it('finds each envelope member twice', () => {
    for (const name of ['jsonrpc', 'method', 'params', 'result', 'error']) {
      const text = `{"id":3,"${name}":1,"x":2,"${name}":1}`;
      assertInvalid(text, 'duplicate_key', 3);
    }
    assertInvalid('{"jsonrpc":"2.0","id":1,"id":2,"method":"m"}', 'duplicate_key', null);
  });

  it('finds any member of params twice, at its first level alone', () => {
    for (const name of ['name', 'uri', '_meta', 'arguments', '__proto__', 'whatever', '']) {
      assertInvalid(envelope(`"id":1,"method":"m","params":{"${name}":1,"x":{},"${name}":2}`), 'duplicate_key', 1);
    }
    assert.equal(parseFrame(envelope('"id":1,"method":"m","params":{"arguments":{"a":1,"a":2}}')).kind, 'request');
  });

  it('sees through escapes', () => {
    assertInvalid('{"jsonrpc":"2.0","id":1,"\\u0069d":2,"method":"m"}', 'duplicate_key', null);
    assertInvalid(envelope('"id":1,"method":"a","\\u006dethod":"b"'), 'duplicate_key', 1);
    assertInvalid(envelope('"id":1,"method":"m","p\\u0061rams":{"name":1,"n\\u0061me":2}'), 'duplicate_key', 1);
    assertInvalid(envelope('"id":1,"method":"m","params":{"a\\/b":1,"a/b":2}'), 'duplicate_key', 1);
  });

  it('counts names that differ in case alone, as Go reads them', () => {
    assertInvalid(envelope('"id":1,"method":"m","params":{"name":"safe","Name":"evil"}'), 'duplicate_key', 1);
    assertInvalid(envelope('"id":1,"method":"m","params":{"arguments":{},"argument\u017f":{}}'), 'duplicate_key', 1);
    assertInvalid(envelope('"id":1,"method":"m","params":{"k":1,"\\u212a":2}'), 'duplicate_key', 1);
    assertInvalid(envelope('"id":1,"method":"m","Method":"evil"'), 'duplicate_key', 1);
    assertInvalid(envelope('"id":1,"result":{},"METHOD":"evil"'), 'duplicate_key', 1);
    assertInvalid(envelope('"id":1,"ID":2,"method":"m"'), 'duplicate_key', null);
  });

  it('finds the pair among thousands, and none where there is none', () => {
    const names = Array.from({ length: 5000 }, (_, i) => `"k${i}":0`);
    const text = (members: string[]): string => envelope(`"id":1,"method":"m","params":{${members.join(',')}}`);
    assert.equal(parseFrame(text(names)).kind, 'request');
    assertInvalid(text([...names, '"k17":1']), 'duplicate_key', 1);
  });

  it('takes different names whose quick hashes are equal', () => {
    // The scan's hash is 31·98 + 96 = 31·97 + 127 for both: only the close look tells them apart.
    assert.equal(parseFrame(envelope('"id":1,"method":"m","params":{"b@":1,"a_":2}')).kind, 'request');
    assertInvalid(envelope('"id":1,"method":"m","params":{"b@":1,"a_":2,"B@":3}'), 'duplicate_key', 1);
  });
});

describe('parseFrame: depth', () => {
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

  it('takes the limit and refuses one level more', () => {
    const text = (levels: number): string => envelope(`"id":1,"method":"m","params":{"a":${nested(levels)}}`);
    assert.equal(parseFrame(text(126)).kind, 'request');
    assertInvalid(text(127), 'too_deep', null);
    assert.equal(parseFrame(text(2), { maxDepth: 4 }).kind, 'request');
    assert.equal(parseFrame(text(3), { maxDepth: 4 }).kind, 'invalid');
  });

  it('does not count brackets in strings or side by side', () => {
    const wide = Array.from({ length: 1000 }, () => '{"a":[]}').join(',');
    assert.equal(
      parseFrame(envelope(`"id":1,"method":"${'['.repeat(1000)}","params":{"a":[${wide}]}`)).kind,
      'request',
    );
  });

  it('refuses 100,000 nested arrays or objects without parsing them', () => {
    assertInvalid('['.repeat(100_000), 'too_deep', null);
    assertInvalid(nested(100_000), 'too_deep', null);
    assertInvalid('{"a":'.repeat(100_000), 'too_deep', null);
  });
});

describe('parseFrame: values and names', () => {
  const limits = { maxDepth: 128, maxValues: 100, maxNames: 10 };
  const list = (count: number): string =>
    envelope(`"id":1,"method":"m","params":{"a":[${Array(count).fill('1').join(',')}]}`);
  const named = (count: number, name: (n: number) => string): string =>
    envelope(
      `"id":1,"method":"m","params":{"a":{${Array.from({ length: count }, (_, n) => `"${name(n)}" :1`).join(',')}}}`,
    );
  const fault = (text: string): unknown => {
    const frame = parseFrame(text, limits);
    return frame.kind === 'invalid' ? frame.error : frame.kind;
  };

  it('counts members, elements, arrays and objects, and refuses one more than the limit', () => {
    // The envelope: three objects or arrays, three commas.
    assert.equal(fault(list(95)), 'request');
    assert.equal(fault(list(96)), 'too_many_values');
    assert.equal(fault(`[${'[],'.repeat(60)}[]]`), 'too_many_values');
    assert.equal(fault(`[${'{},'.repeat(60)}{}]`), 'too_many_values');
    assert.equal(parseFrame(list(10_000)).kind, 'request', 'without limits there are none');
  });

  it('counts names that differ, wherever they stand, and not strings that are no names', () => {
    // jsonrpc, id, method, params and a are five.
    assert.equal(fault(named(5, (n) => `n${n}`)), 'request');
    assert.equal(fault(named(6, (n) => `n${n}`)), 'too_many_values');
    assert.equal(fault(named(40, () => 'same')), 'request');
    const strings = Array.from({ length: 40 }, (_, n) => `"s${n}"`).join(',');
    assert.equal(fault(envelope(`"id":1,"method":"m","params":{"a":[${strings}]}`)), 'request');
    assert.equal(
      fault(envelope(`"id":1,"method":"m","params":{"a":["x\\":",",":"${'a'.repeat(50)}"]}`)),
      'parse_error',
    );
  });

  it('a frame of what a client may send is read whole', () => {
    const rows = Array.from({ length: 9_000 }, (_, id) => ({ id, name: `n${id}`, tags: ['a', 'b'], at: null }));
    const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'm', params: { rows } });
    assert.deepEqual(parseFrame(text, CLIENT_LIMITS), { kind: 'request', message: JSON.parse(text) as unknown });
  });
});

describe('parseFrame: batches', () => {
  it('classifies each message by itself', () => {
    const text = `[${envelope('"id":1,"method":"m"')},7,${envelope('"method":"n"')},[],{"id":5,"method":"m"}]`;
    const frame = parseFrame(text);
    assert.ok(frame.kind === 'batch');
    assert.deepEqual(
      frame.items.map((item) => item.kind),
      ['request', 'invalid', 'notification', 'invalid', 'invalid'],
    );
    const last = frame.items[4];
    assert.ok(last?.kind === 'invalid' && last.id === 5);
  });

  it('blames duplicate names on the message that has them', () => {
    const good = envelope('"id":1,"method":"m","params":{"name":[1,{"x":2}],"uri":2}');
    const bad = envelope('"id":2,"method":"m","params":{"name":1,"name":2}');
    const frame = parseFrame(`[${good},${bad},${good},[1,{"a":1,"a":2}],{"id":9,"id":9}]`);
    assert.ok(frame.kind === 'batch');
    assert.deepEqual(
      frame.items.map((item) => (item.kind === 'invalid' ? `${item.error} ${String(item.id)}` : item.kind)),
      ['request', 'duplicate_key 2', 'request', 'invalid_request null', 'duplicate_key null'],
    );
  });

  it('refuses the empty one and one that is too long', () => {
    assertInvalid('[]', 'invalid_request', null);
    assertInvalid(`[${'1,'.repeat(100)}1]`, 'invalid_request', null);
    assert.equal(parseFrame('[1,1]', { maxDepth: 9, maxBatch: 1 }).kind, 'invalid');
  });
});

describe('parseFrame: __proto__', () => {
  it('keeps such members as own data and every prototype as it was', () => {
    const frame = parseFrame(
      envelope('"id":1,"method":"m","__proto__":{"polluted":1},"params":{"__proto__":{"polluted":1},"constructor":{}}'),
    );
    assert.ok(frame.kind === 'request');
    assert.equal(Object.getPrototypeOf(frame.message), Object.prototype);
    assert.equal(Object.getPrototypeOf(frame.message.params), Object.prototype);
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
    assert.deepEqual(Object.keys(frame.message.params ?? {}), ['__proto__', 'constructor']);
  });

  it('does not take members from a __proto__ member', () => {
    assertInvalid('{"__proto__":{"jsonrpc":"2.0","id":1,"method":"m"}}', 'invalid_request', null);
  });
});

describe('jsonrpc', () => {
  it('builds the text of results and errors', () => {
    assert.deepEqual(JSON.parse(resultText(7, '{"a":[1]}')), { jsonrpc: '2.0', id: 7, result: { a: [1] } });
    assert.deepEqual(JSON.parse(resultText('"\n', '{}')), { jsonrpc: '2.0', id: '"\n', result: {} });
    assert.deepEqual(JSON.parse(errorText(null, { code: 1, message: 'm' })), {
      jsonrpc: '2.0',
      id: null,
      error: { code: 1, message: 'm' },
    });
  });

  it('knows which values are ids', () => {
    for (const id of ['', 'x', 0, -1]) assert.ok(isJsonRpcId(id));
    for (const id of [null, undefined, 1.5, NaN, Infinity, {}, [], true, 2 ** 53]) assert.ok(!isJsonRpcId(id));
  });
});
