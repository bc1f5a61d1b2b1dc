import assert from 'node:assert/strict';
import { textWidth } from '#src/admin/view/text.js';
import { fakeLog, fakeSnapshot } from '../support/admin/fixtures.js';
import { renderScreenSvg } from '../support/screen-svg.js';
import { takeScreenshot } from '../support/screenshot.js';
import { onStage } from '../support/tui-stage.js';

describe('dashboard on a terminal', () => {
  for (const [columns, rows] of [
    [80, 24],
    [120, 40],
    [60, 16],
  ] as const) {
    it(`draws every page at ${columns}×${rows} with frames in line`, () =>
      onStage(columns, rows, async ({ terminal }) => {
        const pages: readonly [string, string][] = [
          ['2', 'Supervision tree'],
          ['3', 'In use'],
          ['4', '1/21'],
          ['5', 'following'],
          ['6', 'S1 variety absorption'],
          ['7', 'SEVERITY'],
          ['1', 'Traffic'],
        ];
        await terminal.shows(/Streamable HTTP +12 /);
        for (const [key, expected] of pages) {
          terminal.type(key);
          await terminal.shows(expected);
          // CJK and emoji stand in these rows: a width misjudged anywhere would push the frame out.
          for (const line of terminal.lines.slice(2, rows - 1)) {
            assert.equal(textWidth(line), columns, line);
            assert.match(line, /[│╮╯┃┓┛]$/u);
          }
        }
      }));
  }

  it('draws the throughput line and keeps up with new figures', () =>
    onStage(120, 40, async ({ terminal, gateway }) => {
      await terminal.shows(/[\u2801-\u28ff]{3}/u);
      gateway.tick({ connections: { total: 777, byTransport: { http: 700, sse: 70, websocket: 7 }, sockets: 1 } });
      await terminal.shows(/Streamable HTTP +700 /);
      gateway.tick({ throughput: { perSecond: Array.from({ length: 60 }, () => 4_700), messagesTotal: 1 } });
      await terminal.shows(/4\.5k⡇[^]*3k +⡇[^]*1\.5k⡇/);
      gateway.log({ ...fakeLog(0), message: 'a line just written' });
      await terminal.shows('a line just written');
    }));

  it('filters, freezes and helps', () =>
    onStage(100, 30, async ({ terminal, gateway }) => {
      await terminal.shows(/WebSocket +6 /);
      terminal.type('2/tickets\r');
      await terminal.shows('1/6');
      terminal.type('1f');
      await terminal.shows('FROZEN');
      gateway.tick({ pid: 1, connections: { total: 9, byTransport: { http: 9, sse: 0, websocket: 0 }, sockets: 9 } });
      terminal.type('?');
      await terminal.shows('freeze and unfreeze');
      assert.match(terminal.text, /Streamable HTTP +12 /);
      terminal.type('?f');
      await terminal.shows(/Streamable HTTP +9 /);
    }));

  it('sends what was ordered and tells how it ended', () =>
    onStage(120, 40, async ({ gateway, terminal }) => {
      await terminal.shows(/Streamable HTTP +12 /);
      terminal.type('7');
      await terminal.shows('SEVERITY');
      terminal.type('a');
      await terminal.shows(/✔ acknowledge alarm \d/);
      assert.equal(gateway.received.filter(({ method }) => method === 'ack').length, 1);
      terminal.type('1');
      terminal.type('d');
      await terminal.shows('Sure?');
      terminal.type('y');
      await terminal.shows('✖ The fake gateway cannot do this.');
      assert.equal(gateway.received.filter(({ method }) => method === 'drain').length, 1);
      terminal.type(':');
      terminal.type('q\r');
    }));

  it('asks for connections only while they are looked at', () =>
    onStage(100, 30, async ({ terminal, gateway }) => {
      await terminal.shows(/WebSocket +6 /);
      const asked = (): number => gateway.received.filter(({ method }) => method === 'connections').length;
      assert.equal(asked(), 0);
      terminal.type('4');
      await terminal.shows('cursor/3.2');
      assert.equal(asked(), 1);
    }));

  it('watches at the interval chosen', () =>
    onStage(100, 30, async ({ terminal, gateway }) => {
      await terminal.shows('every 1 s');
      terminal.type('-');
      await terminal.shows('every 500 ms');
      gateway.tick({ pid: 5 });
      const watches = gateway.received
        .filter(({ method }) => method === 'watch')
        .map(({ params }) => params?.['intervalMs']);
      assert.deepEqual(watches, [1_000, 500]);
      await terminal.shows('● running');
    }));

  it('says that it reconnects, keeps the last figures, and comes back by itself', () =>
    onStage(100, 30, async ({ terminal, gateway, halt, restart }) => {
      await terminal.shows(/Streamable HTTP +12 /);
      await halt();
      await terminal.shows('reconnecting…');
      assert.match(terminal.text, /Streamable HTTP +12 /);
      gateway.tick({ startedAt: fakeSnapshot().takenAt - 3_000 });
      await restart();
      await terminal.shows('● running 3s');
      assert.doesNotMatch(terminal.text, /reconnecting/);
    }));

  it('follows the size of the window', () =>
    onStage(120, 40, async ({ terminal }) => {
      await terminal.shows(/Streamable HTTP +12 /);
      terminal.resize(50, 12);
      await terminal.shows('50×12 cells');
      terminal.resize(80, 24);
      await terminal.shows(/╭─ Throughput.*╮╭─ Traffic ─+╮$/m);
      assert.ok(
        terminal.lines.slice(2, 23).every((line) => textWidth(line) === 80),
        terminal.text,
      );
    }));

  it('writes no escape sequence that came from outside', () =>
    onStage(120, 40, async ({ terminal }) => {
      await terminal.shows(/WebSocket +6 /);
      for (const key of ['2', '3', '4', '6', '7', '5']) terminal.type(key);
      await terminal.shows('gnol{red-fg}tag{/red-fg}');
      const { written } = terminal.output;
      assert.doesNotMatch(written, /\u001b\]/, 'no OSC');
      assert.doesNotMatch(written, /[\u0080-\u009f\u200b\u202a-\u202e]/u);
      assert.doesNotMatch(written, /ZXZpbA==\u0007/);
    }));

  it('uses no colour where none is wanted', () =>
    onStage(
      120,
      40,
      async ({ terminal }) => {
        await terminal.shows(/[\u2801-\u28ff]{3}/u);
        assert.doesNotMatch(
          terminal.output.written,
          /\u001b\[(?:[\d;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[\d;]*)?m/,
        );
      },
      false,
    ));

  it('ends with 0 on q and 130 on Ctrl-C, and gives the terminal back', async () => {
    for (const [key, code] of [
      ['q', 0],
      ['\u0003', 130],
    ] as const) {
      await onStage(80, 24, async ({ terminal, dashboard }) => {
        await terminal.shows('● running');
        terminal.type(key);
        assert.equal(await dashboard.done, code);
        assert.match(terminal.output.written, /\u001b\[\?1049l/);
      });
    }
  });

  it('can be drawn as an SVG on the cell grid', () =>
    onStage(100, 30, async ({ terminal }) => {
      await terminal.shows('天気予報サービス');
      const svg = renderScreenSvg(terminal.screen);
      assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="\d+" height="\d+"/);
      assert.match(svg, /fill="#98c379"[^>]*>● ready|>●<\/text>/);
      assert.ok(svg.includes('>天</text>'));
      assert.doesNotMatch(svg, /[\u0000-\u0009\u000b-\u001f]/u);
    }));

  it('says that dashboards are switched off, shows no old figures, and comes back when they are on', () =>
    onStage(100, 30, async ({ gateway, terminal }) => {
      await terminal.shows('Upstreams');
      gateway.refuse('Dashboards are switched off; `viable features enable dashboard` switches them on.');
      await terminal.shows('Dashboards are switched off');
      assert.match(terminal.text, /refused/);
      assert.doesNotMatch(terminal.text, /203\.0\.113\.9/);
      gateway.refuse(null);
      await terminal.shows('every 1 s');
      assert.doesNotMatch(terminal.text, /switched off/);
    }));

  it('is photographed from a gateway’s socket alone', () =>
    onStage(80, 24, async ({ socket }) => {
      const shot = await takeScreenshot({ socket, columns: 100, rows: 30, keys: '2', expect: 'Supervision tree' });
      assert.match(shot.text, /├─ operations one_for_one/);
      assert.ok(shot.svg.endsWith('</svg>\n'));
    }));
});
