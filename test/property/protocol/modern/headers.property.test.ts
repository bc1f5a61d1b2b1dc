import assert from 'node:assert/strict';
import { createMcpHandler, fromJsonSchema, McpServer } from '@modelcontextprotocol/server';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import fc from 'fast-check';
import { decodeHeaderValue, encodeHeaderValue } from '#src/protocol/modern/header-values.js';
import {
  addParamHeaders,
  checkParamHeaders,
  checkStandardHeaders,
  forwardedParamHeaders,
  requestHeaders,
  scanParamHeaders,
} from '#src/protocol/modern/headers.js';
import { CLIENT_CAPABILITIES_KEY, PROTOCOL_VERSION_KEY } from '#src/protocol/modern/meta.js';

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('', ' ', '\t', ' a', 'a ', 'a\r\nb: c', '\0', '\u007f', 'é', '\ufeffx', '=?base64?', '=?base64?='),
  fc.string().map((inner) => `=?base64?${inner}?=`),
);
const wellFormed = text.filter((value) => Buffer.from(value).toString() === value);
const envelope = { [PROTOCOL_VERSION_KEY]: '2026-07-28', [CLIENT_CAPABILITIES_KEY]: {} };

/** True where each character is one that a header value may hold. */
const isField = (value: string): boolean => /^[\t -~]*$/.test(value);

describe('header values, properties', () => {
  it('come back as they were, and are fit for a header', () => {
    fc.assert(
      fc.property(wellFormed, (value) => {
        const encoded = encodeHeaderValue(value);
        assert.ok(isField(encoded) && encoded === encoded.trim() && encoded !== '');
        assert.equal(decodeHeaderValue(encoded), value);
        assert.equal(decodeHeaderValue(` \t${encoded} `), value);
      }),
    );
  });

  it('leave no value that is not well-formed Unicode to be taken for another', () => {
    fc.assert(
      fc.property(text, (value) => {
        const decoded = decodeHeaderValue(encodeHeaderValue(value));
        assert.ok(decoded === value || value !== Buffer.from(value).toString());
      }),
    );
  });

  it('decode to nothing, or to what would be read from them again', () => {
    fc.assert(
      fc.property(text, (raw) => {
        const value = decodeHeaderValue(raw);
        if (value === undefined) return;
        assert.equal(decodeHeaderValue(encodeHeaderValue(value)), value);
      }),
    );
  });
});

describe('standard headers, properties', () => {
  const message = fc
    .tuple(fc.constantFrom('tools/call', 'prompts/get', 'resources/read', 'tools/list'), wellFormed)
    .map(([method, name]) => ({
      method,
      params: { ...(method === 'resources/read' ? { uri: name } : { name }), _meta: envelope },
    }));

  it('built for a message agree with it', () => {
    fc.assert(
      fc.property(message, (m) => assert.equal(checkStandardHeaders(requestHeaders('2026-07-28', m), m), undefined)),
    );
  });

  it('built for one message fit no other', () => {
    fc.assert(
      fc.property(message, message, (a, b) => {
        fc.pre(a.method !== b.method || JSON.stringify(a.params) !== JSON.stringify(b.params));
        fc.pre(a.method !== b.method || a.method !== 'tools/list');
        assert.equal(checkStandardHeaders(requestHeaders('2026-07-28', a), b)?.error, 'header_mismatch');
      }),
    );
  });
});

const primitive = fc.oneof(
  text.map((value) => ({ type: 'string', value })),
  fc.maxSafeInteger().map((value) => ({ type: 'integer', value })),
  fc.boolean().map((value) => ({ type: 'boolean', value })),
);
const names = fc.uniqueArray(fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,8}$/), {
  maxLength: 5,
  selector: (name) => name.toLowerCase(),
});
/** A schema with mirrored arguments at the root and below an object, and arguments for it. */
const call = names.chain((list) =>
  fc.array(fc.tuple(primitive, fc.boolean()), { minLength: list.length, maxLength: list.length }).map((items) => {
    const flat: [string, unknown][] = [];
    const flatArgs: [string, unknown][] = [];
    const deep: [string, unknown][] = [];
    const deepArgs: [string, unknown][] = [];
    items.forEach(([{ type, value }, nested], index) => {
      (nested ? deep : flat).push([`p${index}`, { type, 'x-mcp-header': list[index] }]);
      (nested ? deepArgs : flatArgs).push([`p${index}`, value]);
    });
    const inner = { type: 'object', properties: Object.fromEntries(deep) };
    return {
      inputSchema: { type: 'object' as const, properties: { ...Object.fromEntries(flat), inner } },
      args: { ...Object.fromEntries(flatArgs), inner: Object.fromEntries(deepArgs) },
    };
  }),
);

describe('Mcp-Param headers, properties', () => {
  it('built from arguments agree with them, and each is needed', () => {
    fc.assert(
      fc.property(call, ({ inputSchema, args }) => {
        const scan = scanParamHeaders(inputSchema);
        assert.ok(scan.ok, JSON.stringify(scan));
        const built = addParamHeaders({}, scan.headers, args);
        const wholeText = (value: unknown): boolean =>
          typeof value !== 'string' || Buffer.from(value).toString() === value;
        fc.pre([...Object.values(args), ...Object.values(args['inner'] as Record<string, unknown>)].every(wholeText));
        assert.equal(Object.keys(built).length, scan.headers.length);
        assert.equal(checkParamHeaders(built, scan.headers, args), undefined);
        for (const { field } of scan.headers) {
          const others = { ...built };
          delete others[field];
          assert.equal(checkParamHeaders(others, scan.headers, args)?.data.header, field);
          const changed = { ...built, [field]: encodeHeaderValue(`${decodeHeaderValue(built[field]!)!}x`) };
          assert.equal(checkParamHeaders(changed, scan.headers, args)?.data.header, field);
        }
        assert.deepEqual(forwardedParamHeaders({ ...built, 'mcp-param-else': 'x', accept: '*/*' }, scan.headers), {
          'mcp-param-else': 'x',
        });
      }),
    );
  });

  it('never throw on any schema, headers or arguments', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        call,
        fc.jsonValue(),
        fc.dictionary(fc.string(), fc.string()),
        (any, c, args, raw) => {
          scanParamHeaders(any);
          const scan = scanParamHeaders({ ...c.inputSchema, allOf: [any] });
          if (scan.ok) checkParamHeaders(raw, scan.headers, args);
        },
      ),
    );
  });
});

describe('against the official SDK', () => {
  /** One tool with this schema, behind the SDK's HTTP handler. */
  function sdkServer(inputSchema: object) {
    return createMcpHandler(() => {
      const server = new McpServer({ name: 'oracle', version: '1' });
      server.registerTool('t', { inputSchema: fromJsonSchema(inputSchema) }, () => ({ content: [] }));
      return server;
    });
  }

  it('our headers are accepted by its server, and refused by both when one is missing', async () => {
    await fc.assert(
      fc.asyncProperty(call, fc.nat(7), async ({ inputSchema, args }, dice) => {
        const wellFormedArgs = JSON.stringify(args).includes('\\ud') ? {} : args;
        const scan = scanParamHeaders(inputSchema);
        assert.ok(scan.ok);
        const params = { name: 't', arguments: wellFormedArgs, _meta: envelope };
        const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
        const headers = requestHeaders('2026-07-28', message, scan.headers);
        const fields = Object.keys(headers);
        const dropped = fields[dice];
        if (dropped !== undefined) delete headers[dropped];
        // The SDK drops a byte order mark when it decodes, so it refuses what it was rightly sent.
        fc.pre(!JSON.stringify(args).includes('\ufeff'));
        const answer = await sdkServer(inputSchema).fetch(
          new Request('http://localhost/mcp', {
            method: 'POST',
            headers: { ...headers, 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
            body: JSON.stringify(message),
          }),
        );
        const body = await answer.text();
        const ours = checkStandardHeaders(headers, message) ?? checkParamHeaders(headers, scan.headers, wellFormedArgs);
        assert.equal(ours === undefined, dropped === undefined);
        assert.equal(answer.status === 400 && body.includes('-32020'), ours !== undefined, `${answer.status} ${body}`);
      }),
      { numRuns: 60 },
    );
  });

  it('its client sends the headers that we would', async () => {
    await fc.assert(
      fc.asyncProperty(call, async ({ inputSchema, args }) => {
        fc.pre(!JSON.stringify(args).includes('\\ud'));
        const handler = sdkServer(inputSchema);
        const sent: { headers: Record<string, string>; body: string }[] = [];
        const client = new Client({ name: 'c', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
        const transport = new StreamableHTTPClientTransport(new URL('http://localhost/mcp'), {
          fetch: async (url, init) => {
            const request = new Request(url, init);
            if (request.method !== 'POST') return new Response(null, { status: 405 });
            sent.push({ headers: Object.fromEntries(request.headers), body: await request.clone().text() });
            return handler.fetch(request);
          },
        });
        await client.connect(transport);
        await client.listTools();
        await client.callTool({ name: 't', arguments: args }).catch(() => undefined);
        await client.close();
        const scan = scanParamHeaders(inputSchema);
        assert.ok(scan.ok);
        const calls = sent.filter(({ body }) => body.includes('"tools/call"'));
        assert.ok(calls.length > 0);
        for (const { headers, body } of calls) {
          const message = JSON.parse(body) as { method: string; params: Record<string, unknown> };
          const ours = requestHeaders('2026-07-28', message, scan.headers);
          const theirs = Object.entries(headers).filter(([name]) => name.startsWith('mcp-'));
          assert.deepEqual(Object.fromEntries(theirs), ours);
          assert.equal(checkStandardHeaders(headers, message), undefined);
        }
      }),
      { numRuns: 30 },
    );
  });
});
