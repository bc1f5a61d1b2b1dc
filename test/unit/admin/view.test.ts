import assert from 'node:assert/strict';
import fc from 'fast-check';
import { upstreamColumns } from '#src/admin/view/columns.js';
import { bytes, count, duration, latency, latencyPair, percent } from '#src/admin/view/format.js';
import { cutLine, fitLine, lineWidth, plainText, span, spread } from '#src/admin/view/line.js';
import { atLeast, logContains, logLine } from '#src/admin/view/logs.js';
import { paintLine } from '#src/admin/view/paint.js';
import { layoutTable } from '#src/admin/view/table.js';
import { cutText, drawable, textWidth, wrapText } from '#src/admin/view/text.js';
import { treeRows } from '#src/admin/view/tree.js';
import { FAKE_NOW, fakeLog, fakeTree, fakeUpstreams, HOSTILE } from '../../support/admin/fixtures.js';

/** Anything a terminal could take for a command, or that moves, reorders or hides text. */
const FOREIGN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/u;
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constant(HOSTILE),
  fc.constant('天気予報🚀'),
);

describe('text in cells', () => {
  it('is free of control, bidi and zero-width characters, whatever came in', () => {
    fc.assert(fc.property(text, (raw) => assert.doesNotMatch(drawable(raw), FOREIGN)));
    assert.equal(drawable(HOSTILE), 'gnol{red-fg}tag{/red-fg}');
  });

  it('has the width terminals give it', () => {
    assert.equal(textWidth('天気 ok 🚀'), 10);
    assert.equal(textWidth(drawable('e\u0301a\ufe0f\u200d')), 2);
    assert.equal(drawable('🇨🇭'), 'CH');
  });

  it('is cut and fitted to exact widths', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 0, max: 40 }), (raw, width) => {
        const clean = drawable(raw);
        assert.ok(textWidth(cutText(clean, width)) <= width);
        assert.ok(lineWidth(cutLine([span(raw), span('|x', 'bad')], width)) <= width);
        assert.equal(lineWidth(fitLine([span(raw), span('|x')], width)), width);
        assert.equal(lineWidth(spread([span(raw)], [span('right')], width + 5)), width + 5);
      }),
    );
    assert.equal(plainText(cutLine([span('ab'), span('cd')], 3)), 'ab…');
    assert.equal(plainText(cutLine([span('ab'), span('cd')], 2)), 'a…');
  });

  it('wraps without losing or widening anything', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 30 }), (raw, width) => {
        const clean = drawable(raw);
        const lines = wrapText(clean, width);
        assert.ok(lines.every((line) => textWidth(line) <= width));
        assert.equal(lines.join('').replace(/\s/gu, ''), clean.replace(/\s/gu, ''));
      }),
    );
    assert.deepEqual(wrapText('connect ECONNREFUSED now', 12), ['connect', 'ECONNREFUSED', 'now']);
  });
});

describe('painting', () => {
  it('colours only where colours are wanted', () => {
    const line = [span('a', 'bad'), span('b')];
    assert.equal(paintLine(line, { color: false, attributes: false }), 'ab');
    assert.equal(paintLine(line, { color: false, attributes: true }), '\u001b[1ma\u001b[0mb');
    assert.equal(paintLine(line, { color: true, attributes: true }), '\u001b[31;1ma\u001b[0mb');
    assert.equal(
      paintLine(line, { color: true, attributes: true, faded: true }),
      '\u001b[90ma\u001b[0m\u001b[90mb\u001b[0m',
    );
  });
});

describe('tables', () => {
  it('fit every width, and keep columns aligned under CJK and emoji', () => {
    const columns = upstreamColumns(FAKE_NOW);
    const rows = fakeUpstreams();
    for (let width = 20; width <= 220; width += 1) {
      const { header, rows: lines } = layoutTable(columns, rows, width);
      const widths = new Set([header, ...lines].map(lineWidth));
      assert.equal(widths.size, 1, `width ${width}`);
      assert.ok(
        [...widths].every((cells) => cells <= width),
        `width ${width}`,
      );
    }
  });

  it('leave out the least important columns first and cut nothing without a width', () => {
    const columns = upstreamColumns(FAKE_NOW);
    const rows = fakeUpstreams();
    const narrow = plainText(layoutTable(columns, rows, 60).header);
    assert.match(narrow, /UPSTREAM +STATE +BREAKER/);
    assert.doesNotMatch(narrow, /PROMPTS|RECON/);
    const whole = layoutTable(columns, rows);
    assert.match(plainText(whole.header), /PROMPTS.*RECON.*LAST ERROR/);
    assert.ok(whole.rows.every((line) => !plainText(line).includes('…')));
  });
});

describe('the tree', () => {
  it('draws branches and says what it does not list', () => {
    const rows = treeRows(fakeTree());
    assert.equal(rows.length, 49);
    assert.equal(rows.find(({ node }) => node.id === 'alarms')?.prefix, '│  └─ ');
    assert.equal(rows.find(({ node }) => node.id === 'partition:0')?.hidden, 15);
  });

  it('filters by id, state or fault and keeps what is above and below', () => {
    const ids = (filter: string): string[] => treeRows(fakeTree(), filter).map(({ node }) => node.id);
    assert.deepEqual(ids('TICKETS'), ['root', 'operations', 'upstreams', 'upstream:tickets', 'breaker', 'session']);
    assert.deepEqual(ids('restarting'), ['root', 'operations', 'upstreams', 'upstream:tickets', 'session']);
    assert.deepEqual(ids('EMFILE'), ['root', 'front', 'listener:http']);
    assert.deepEqual(ids('nothing like it'), []);
  });
});

describe('figures', () => {
  it('read well, and are a dash without samples', () => {
    assert.deepEqual([0, 59_999, 60_000, 3_723_000, 90_000_000].map(duration), [
      '0s',
      '59s',
      '1m 00s',
      '1h 02m',
      '1d 01h',
    ]);
    assert.deepEqual([null, 0.42, 7.13, 41.7, 1_300].map(latency), ['–', '0.42 ms', '7.1 ms', '42 ms', '1.3 s']);
    assert.deepEqual(
      [latencyPair(3.4, 41.7), latencyPair(120, 1_300), latencyPair(null, null)],
      ['3.4 / 42 ms', '120 ms / 1.3 s', '– / –'],
    );
    assert.deepEqual([0, 999, 1_234, 34_400, 999_600, 1.2e6].map(count), ['0', '999', '1.2k', '34k', '1.0M', '1.2M']);
    assert.deepEqual([512, 1_536, 64 * 1_048_576].map(bytes), ['512 B', '1.5 KiB', '64 MiB']);
    assert.deepEqual([null, 0, 0.42, 12.4].map(percent), ['–', '0 %', '0.4 %', '12 %']);
  });
});

describe('log lines', () => {
  it('are one harmless line with level, event and fields', () => {
    const shown = plainText(logLine(fakeLog(4)));
    assert.doesNotMatch(shown, FOREIGN);
    assert.match(shown, /^\d\d:\d\d:\d\d ✖ error upstream\.stderr tickets: gnol\{red-fg\}tag/);
    assert.match(plainText(logLine(fakeLog(2))), /upstream=tickets attempt=9$/);
  });

  it('are found by what is shown and by level', () => {
    assert.ok(logContains(fakeLog(2), 'UPSTREAM=tickets'));
    assert.ok(!logContains(fakeLog(2), 'memory'));
    assert.deepEqual(
      [0, 1, 2, 3, 4]
        .map((index) => fakeLog(index))
        .filter(atLeast('warn'))
        .map(({ level }) => level),
      ['warn', 'error'],
    );
  });
});
