import assert from 'node:assert/strict';
import { redact } from '#src/protocol/redact.js';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln';

describe('protocol/redact', () => {
  it('hides credentials by their form or their name, and nothing else', () => {
    const cases: Readonly<Record<string, string>> = {
      [`a ${JWT} b`]: 'a [hidden] b',
      [`"${JWT}","x"`]: '"[hidden]","x"',
      'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.': '[hidden].',
      'authorization: Bearer abc.def': 'authorization: Bearer [hidden]',
      'mcp, bearer.opaque-token, x': 'mcp, bearer.[hidden], x',
      'GET /mcp/sse?a=1&token=abc&b=2': 'GET /mcp/sse?a=1&token=[hidden]&b=2',
      '/mcp/ws?ticket=abc"': '/mcp/ws?ticket=[hidden]"',
      '{"token":"abc","sub":"ada"}': '{"token":"[hidden]","sub":"ada"}',
      '{\\"client_secret\\" : \\"abc\\"}': '{\\"client_secret\\" : \\"[hidden]\\"}',
      'a token was refused: expired': 'a token was refused: expired',
      'tokens=5 cached': 'tokens=5 cached',
      'https://example.com/eyJ/x.y': 'https://example.com/eyJ/x.y',
    };
    for (const [text, shown] of Object.entries(cases)) assert.equal(redact(text), shown);
  });
});
