import assert from 'node:assert/strict';
import { encodeSse, SSE_KEEPALIVE } from '#src/protocol/sse.js';
import { stripControl } from '#src/protocol/text.js';

describe('stripControl', () => {
  const becomes = (cases: readonly (readonly [string, string])[]): void => {
    for (const [text, clean] of cases) assert.equal(stripControl(text), clean, JSON.stringify(text));
  };

  it('leaves visible text of every script as it is', () => {
    for (const text of ['', 'plain text', 'naïve Größe', '日本語', 'हिन्दी', '😀', 'עברית', 'a\u0301', 'x\u00a0y']) {
      assert.equal(stripControl(text), text);
    }
  });

  it('puts everything on one line', () => {
    becomes([
      ['a\tb\nc', 'a b c'],
      ['a\r\nb', 'a b'],
      ['50%\r100%', '50%100%'],
      ['a\u2028b\u2029c\u0085d\ve\ff', 'a b c d e f'],
      ['a\u0000\u0007\u0008b\u007f\u0080\u009fc', 'abc'],
    ]);
  });

  it('removes escape sequences with their parameters', () => {
    becomes([
      ['\u001b[31;1mred\u001b[0m', 'red'],
      ['\u009b31mred', 'red'],
      ['\u001b[2J\u001b[H\u001b[?25lx', 'x'],
      ['\u001b]0;title\u0007x', 'x'],
      ['\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\', 'link'],
      ['\u001b]52;c;ZXZpbA==\u0007x', 'x'],
      ['\u009d0;title\u009cx', 'x'],
      ['\u001bP1;2q#0\u001b\\x\u001b_apc\u001b\\y\u001b^pm\u001b\\z', 'xyz'],
      ['\u001bcx\u001b(By\u001b=z', 'xyz'],
      ['x\u001b', 'x'],
      ['x\u001b[31', 'x'],
      ['\u001b\u001b[31mx', 'x'],
      ['\u001b[3\u001b[1mx', 'x'],
    ]);
  });

  it('does not let an unterminated sequence swallow the rest', () => {
    becomes([
      ['\u001b]0;visible', '0;visible'],
      ['\u001b]0;one\ntwo\u0007', '0;one two'],
      ['\u001bPvisible', 'visible'],
    ]);
  });

  it('removes what is not seen and what reorders', () => {
    becomes([
      ['ad\u200bm\u200ci\u200dn\ufeff\u2060', 'admin'],
      ['a\u202eb\u2066c\u2069d\u200e\u200f\u061c', 'abcd'],
      ['soft\u00adhyphen\u034f\u180e\u3164\uffa0', 'softhyphen'],
      ['tag\u{e0041}\u{e007f}\ufe0f\u{e0100}', 'tag'],
      ['\ufff9a\ufffab\ufffb', 'ab'],
    ]);
  });

  it('replaces lone surrogates', () => {
    becomes([
      ['a\ud800b', 'a\ufffdb'],
      ['\udc00', '\ufffd'],
      ['\ude00\ud83d', '\ufffd\ufffd'],
      ['\ud83d\u200b\ude00', '\ufffd\ufffd'],
    ]);
  });

  it('cuts at code points and says so', () => {
    assert.equal(stripControl('abcdef', 6), 'abcdef');
    assert.equal(stripControl('abcdef', 5), 'abcd…');
    assert.equal(stripControl('😀😀😀', 3), '😀😀😀');
    assert.equal(stripControl('😀😀😀', 2), '😀…');
    assert.equal(stripControl('\u001b[31mabc\u001b[0m', 3), 'abc');
    assert.equal(stripControl('abc', 1), '…');
    assert.equal(stripControl('abc', 0), '');
    assert.equal(stripControl('', 0), '');
  });
});

describe('encodeSse', () => {
  it('writes the fields that are given', () => {
    assert.equal(encodeSse({ data: '{"a":1}' }), 'data: {"a":1}\n\n');
    assert.equal(
      encodeSse({ event: 'message', id: '7', retry: 1500.9, data: 'x' }),
      'event: message\nid: 7\nretry: 1500\ndata: x\n\n',
    );
    assert.equal(encodeSse({ id: 'prime', data: '' }), 'id: prime\ndata: \n\n');
  });

  it('lets nothing break out of its field', () => {
    assert.equal(encodeSse({ event: 'a\ndata: x', id: '1\r\n\0', data: 'y' }), 'event: adata: x\nid: 1\ndata: y\n\n');
    assert.equal(
      encodeSse({ data: 'a\nevent: x\r\rid: 1\r\n' }),
      'data: a\ndata: event: x\ndata: \ndata: id: 1\ndata: \n\n',
    );
    assert.equal(encodeSse({ retry: -5, data: '' }), 'retry: 0\ndata: \n\n');
  });

  it('has a comment to keep streams open', () => {
    assert.match(SSE_KEEPALIVE, /^:.*\n\n$/);
  });
});
