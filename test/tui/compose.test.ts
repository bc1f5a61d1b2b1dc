import assert from 'node:assert/strict';
import fc from 'fast-check';
import { lineWidth, plainText } from '#src/admin/view/line.js';
import { drawable } from '#src/admin/view/text.js';
import { composeScreen } from '#src/tui/compose.js';
import type { FeedView } from '#src/tui/feed.js';
import { PAGE_IDS } from '#src/tui/page.js';
import { initialState, press, type Key, type UiState } from '#src/tui/state.js';
import { FAKE_ACTORS, fakeConnections, fakeLog, fakeDrain, fakeSnapshot } from '../support/admin/fixtures.js';
import { fakeToolsOf } from '../support/admin/policy-fixtures.js';
import { fakeTraces } from '../support/admin/trace-fixtures.js';

const live: FeedView = {
  link: 'live',
  reason: null,
  snapshot: fakeSnapshot(),
  connections: fakeConnections(),
  logs: Array.from({ length: 200 }, (_, number) => ({ number, entry: fakeLog(number) })),
  tools: fakeToolsOf('everything'),
  messages: FAKE_ACTORS[0]?.messages ?? [],
  traces: fakeTraces(),
};

function keys(...names: readonly string[]): readonly Key[] {
  return names.map((full) => ({ full, text: full.length === 1 ? full : undefined }));
}

/** Presses keys one after another, drawing between them as the dashboard does. */
function after(pressed: readonly Key[], view = live, columns = 100, rows = 30): { state: UiState; text: string } {
  let state = initialState(1_000);
  for (const key of pressed) state = press(state, key, view, composeScreen(state, view, columns, rows).layout);
  return { state, text: text(state, view, columns, rows) };
}

function text(state: UiState, view: FeedView, columns: number, rows: number): string {
  return composeScreen(state, view, columns, rows).lines.map(plainText).join('\n');
}

describe('composed screens', () => {
  it('fill every size exactly, on every page, whatever is pressed', () => {
    const anyKey = fc.constantFrom(
      ...keys(
        '1',
        '2',
        '3',
        '4',
        '5',
        '6',
        '7',
        'left',
        'right',
        'r',
        'd',
        'a',
        'K',
        'x',
        'y',
        ':',
        'tab',
        'S-tab',
        'up',
        'down',
        'pageup',
        'pagedown',
        'home',
        'end',
      ),
      ...keys('/', 'e', 'x', 'backspace', 'enter', 'escape', '?', 'f', '+', '-', 'l', 'j', 'k', 'G'),
    );
    const size = fc.tuple(fc.integer({ min: 1, max: 160 }), fc.integer({ min: 1, max: 50 }));
    const views = fc.constantFrom<FeedView>(live, { ...live, link: 'lost' }, { ...live, snapshot: null, logs: [] });
    fc.assert(
      fc.property(fc.array(anyKey, { maxLength: 15 }), size, views, (pressed, [columns, rows], view) => {
        const { state } = after(pressed, view, columns, rows);
        const { lines } = composeScreen(state, view, columns, rows);
        assert.equal(lines.length, rows);
        for (const line of lines) {
          assert.equal(lineWidth(line), columns);
          assert.equal(plainText(line), drawable(plainText(line)));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('show the figures of the overview at 120×40, 80×24 and 60×16', () => {
    for (const [columns, rows] of [
      [120, 40],
      [80, 24],
      [60, 16],
    ] as const) {
      const shown = text(initialState(1_000), live, columns, rows);
      for (const figure of [
        /Streamable HTTP +12 /,
        /HTTP\+SSE +3 /,
        /WebSocket +6 /,
        /3\.4 \/ 42 ms/,
        /everything +● ready +─ closed/,
      ]) {
        assert.match(shown, figure);
      }
      assert.match(shown, /Errors sse +– /, 'no samples is a dash');
    }
    assert.match(text(initialState(1_000), live, 60, 16), /msg\/s +[▁▂▃▄▅▆▇█]{8}/);
  });

  it('say when the window is too small', () => {
    assert.match(text(initialState(1_000), live, 59, 16).replaceAll('\n', ' '), /59×16 cells.*60×16/);
    assert.match(text(initialState(1_000), live, 60, 15), /60×15 cells/);
  });

  it('draw a dash for every figure without samples', () => {
    const empty = fakeSnapshot({
      requests: { inFlight: 0, answered: 0, failed: 0, p50: null, p99: null },
      throughput: { perSecond: [], messagesTotal: 0 },
      process: { rssBytes: 0, heapUsedBytes: 0, cpuPercent: null, loopDelayP99: null },
      upstreams: [],
    });
    const shown = text(initialState(1_000), { ...live, snapshot: empty }, 120, 40);
    for (const figure of [
      /p50 \/ p99 +– \/ – /,
      /CPU +– /,
      /Loop delay p99 +– /,
      /Throughput – msg/,
      /No whole second/,
      /No upstream/,
    ]) {
      assert.match(shown, figure);
    }
  });

  it('tell how far a drain is', () => {
    const snapshot = fakeSnapshot({ phase: 'draining', drain: fakeDrain(), drains: [fakeDrain()] });
    assert.match(
      text(initialState(1_000), { ...live, snapshot }, 120, 40),
      /◐ draining 5\/21 connections, 2 calls left, 12s/,
    );
    const upstream = fakeDrain({
      id: 'upstream:github',
      target: { kind: 'upstream', name: 'github' },
      connectionsAtStart: 0,
      connectionsLeft: 0,
      stalled: true,
    });
    const shown = text(initialState(1_000), { ...live, snapshot: fakeSnapshot({ drains: [upstream] }) }, 120, 40);
    assert.match(shown, /Draining/);
    assert.match(shown, /░ ◐ draining upstream:github {2}2 calls left, 12s {2}no progress/);
    assert.doesNotMatch(text(initialState(1_000), live, 120, 40), /Draining/);
  });
});

describe('pages', () => {
  it('turn with digits; Tab goes through their panes and on to the next, both ways round', () => {
    assert.deepEqual(
      ['1', '2', '3', '4', '5', '6', '7'].map((digit) => after(keys(digit)).state.page),
      [...PAGE_IDS],
    );
    const places = (count: number, key: string): string[] =>
      Array.from({ length: count }, (_, pressed) => {
        const { state } = after(keys(...Array.from({ length: pressed + 1 }, () => key)));
        const panes = composeScreen(state, live, 100, 30).layout.panes;
        return `${state.page} ${panes[Math.min(state.pane, panes.length - 1)]?.name}`;
      });
    assert.deepEqual(places(5, 'tab'), [
      'overview overview/signals',
      'overview overview/log',
      'tree tree',
      'tree tree/detail//',
      'upstreams upstreams',
    ]);
    assert.deepEqual(places(2, 'S-tab'), ['alarms alarms/past', 'alarms alarms']);
    const thick = (pressed: readonly Key[]): string => /┏━ (\S+)/u.exec(after(pressed).text)?.[1] ?? '';
    assert.deepEqual([thick(keys('3')), thick(keys('3', 'tab')), thick(keys('4'))], ['Upstreams', 'everything', '']);
  });

  it('2: the chosen actor’s whole fault stands below the tree', () => {
    const { text: shown } = after(keys('2', '/', ...Array.from('tickets'), 'enter', 'end'));
    assert.match(shown, /Supervision tree {2}6\/6/);
    assert.match(shown, /› +└─ session +▲ restarting/);
    assert.match(shown, /\/operations\/upstreams\/upstream:tickets\/session ─/);
    assert.match(shown, /incarnation 10, 9 restarts/);
  });

  it('3: list left, everything known of the chosen one right', () => {
    const { text: shown } = after(keys('3', 'down', 'down', 'down', 'down', 'down'));
    assert.match(shown, /›tickets +▲ backoff/);
    assert.match(shown, /Breaker +╱ open/);
    assert.match(shown, /next attempt in 8s/);
    assert.match(shown, /connect ECONNREFUSED 203\.0\.113\.9:443/);
    assert.match(
      after(keys('down', 'down', 'enter')).text,
      /›filesystem .*/,
      'Enter on the overview opens its details',
    );
  });

  it('4: connections, filtered by anything shown', () => {
    assert.match(after(keys('4')).text, /Connections {2}1\/21/);
    assert.match(after(keys('4', '/', ...Array.from('東京'), 'enter')).text, /Connections {2}1\/3/);
    assert.match(after(keys('4', '/', ...Array.from('zzz'))).text, /No connection to show/);
  });

  it('5: the log follows until somebody scrolls, keeps its place, and follows again at the end', () => {
    const more: FeedView = { ...live, logs: [...live.logs, { number: 200, entry: fakeLog(3) }] };
    const following = after(keys('5'));
    assert.match(following.text, /following/);
    const paused = after(keys('5', 'up'));
    const chosen = /›.*/.exec(paused.text)?.[0];
    assert.ok(chosen !== undefined);
    assert.ok(text(paused.state, more, 100, 30).includes(chosen));
    assert.match(after(keys('5', 'up', 'end')).text, /following/);
    assert.match(after(keys('5', 'l')).text, /warn and above/);
    assert.doesNotMatch(after(keys('5', 'l')).text, /client\.connected/);
  });
});

describe('viability and alarms', () => {
  it('6: every figure of S1 to S5, and the formula of the chosen one', () => {
    const { text: shown } = after(keys('6'), live, 120, 40);
    for (const title of ['S1 variety absorption', 'S2 status', 'S3 resource usage', 'S4 skill', 'S5 policy violations'])
      assert.ok(shown.includes(title), title);
    assert.match(shown, /\(1\/K\) Σ_k/);
    assert.match(after(keys('6', 'down', 'down', 'down'), live, 120, 40).text, /damping if any penalty/);
  });

  it('6: dashes where there are no samples', () => {
    const snapshot = fakeSnapshot();
    const vsm = {
      ...snapshot.vsm,
      operations: { ...snapshot.vsm.operations, varietyAbsorption: null, absorptionRate: null, volumeRatio: null },
    };
    const { text: shown } = after(keys('6'), { ...live, snapshot: { ...snapshot, vsm } }, 120, 40);
    for (const title of ['S1 variety absorption', 'S1 absorption rate', 'S1 volume ratio'])
      assert.match(shown, new RegExp(`${title} +–`));
  });

  it('7: alarms, worst first; the overview names the worst', () => {
    const [worst] = live.snapshot?.alarms.active ?? [];
    assert.ok(worst);
    assert.ok(after(keys('7'), live, 160, 40).text.includes(worst.source));
    assert.match(after([], live, 160, 40).text, new RegExp(`▲ ${worst.severity}`));
    const calm = fakeSnapshot({ alarms: { active: [], history: [], lastResort: [], overflow: 0 } });
    assert.match(after(keys('7'), { ...live, snapshot: calm }).text, /Nothing hurts\./);
    assert.match(after([], { ...live, snapshot: calm }, 160, 40).text, /nothing hurts/);
  });
});

describe('commands', () => {
  it('sort a list by a column, the other way round, and back', () => {
    const names = (pressed: readonly Key[]): string[] => {
      const { text: shown } = after(keys('3', ...pressed.map(({ full }) => full)), live, 160, 40);
      return shown.split('\n').flatMap((row) => /^[│┃][› ](\S+) +[●◌◐▲○]/u.exec(row)?.[1] ?? []);
    };
    const own = names([]);
    assert.equal(own[0], 'everything');
    const sorted = names(keys('right'));
    assert.deepEqual(
      sorted,
      [...own].sort((a, b) => a.localeCompare(b)),
    );
    assert.deepEqual(names(keys('right', 'r')), [...sorted].reverse());
    assert.deepEqual(names(keys('right', 'left')), own);
  });

  it('that take something away are asked before', () => {
    const asked = after(keys('d'));
    assert.match(asked.text, /Sure\?[^]*drain the gateway/);
    assert.equal(asked.state.ordered, null);
    assert.equal(after(keys('d', 'n')).state.asked, null);
    assert.deepEqual(after(keys('d', 'y')).state.ordered?.method, 'drain');
    const killed = after(keys('2', 'down', 'K', 'y')).state.ordered;
    assert.equal(killed?.method, 'kill');
    assert.match(String(killed.params['actor']), /^\//);
  });

  it('act on the chosen row', () => {
    const disabled = after(keys('3', 'x', 'y')).state.ordered;
    assert.deepEqual(disabled?.params, { actor: 'upstream:everything', message: 'disable', args: {} });
    const enabled = after(keys('3', 'end', 'x')).state.ordered;
    assert.deepEqual(enabled?.params, { actor: 'upstream:legacy', message: 'enable', args: {} });
    const acknowledged = after(keys('7', 'a')).state.ordered;
    assert.deepEqual(acknowledged?.params, { id: live.snapshot?.alarms.active[0]?.id });
  });

  it('are typed after a colon, and wrong ones are told', () => {
    const type = (line: string): UiState => after(keys(':', ...Array.from(line), 'enter')).state;
    assert.deepEqual(type('mode lockdown').asked?.params, { mode: 'lockdown' });
    assert.deepEqual(type('mode normal').ordered?.params, { mode: 'normal' });
    assert.deepEqual(type('send catalogue refresh {"all":true}').asked?.params, {
      actor: 'catalogue',
      message: 'refresh',
      args: { all: true },
    });
    assert.deepEqual(type('drain 500').asked?.params, { timeoutMs: 500 });
    assert.equal(type('q').quit, true);
    for (const wrong of ['nope', 'drain x', 'kill', 'ack x', 'mode odd', 'send a', 'send a b {'])
      assert.equal(type(wrong).told?.good, false, wrong);
    assert.match(after(keys(':', 'n', 'o', 'enter')).text, /✖ there is no command "no"/);
    assert.equal(after(keys(':', 'n', 'o', 'enter', 'down')).state.told, null);
    assert.match(after(keys(':', 'k', 'i')).text, /:ki/);
  });
});

describe('keys', () => {
  it('type a filter, keep it with Enter and clear it with Escape', () => {
    const typed = after(keys('2', '/', 'm', 'q', 'backspace', 'e', 'm'));
    assert.equal(typed.state.lists['tree']?.filter, 'mem');
    assert.match(typed.text, /Filter: mem/);
    assert.equal(typed.state.page, 'tree', 'digits and q are text while typing');
    const kept = after(keys('2', '/', 'm', 'enter'));
    assert.deepEqual([kept.state.typing, kept.state.lists['tree']?.filter], [false, 'm']);
    assert.equal(after(keys('2', '/', 'm', 'enter', 'escape')).state.lists['tree']?.filter, '');
  });

  it('keep the cursor on its row while rows come and go', () => {
    const { state } = after(keys('3', 'down', 'down'));
    const fewer = { ...live, snapshot: fakeSnapshot({ upstreams: fakeSnapshot().upstreams.slice(1) }) };
    assert.match(text(state, fewer, 100, 30), /›filesystem/);
    const gone = { ...live, snapshot: fakeSnapshot({ upstreams: fakeSnapshot().upstreams.slice(0, 2) }) };
    assert.match(text(state, gone, 100, 30), /›memory/);
  });

  it('freeze the figures but not the news of the connection', () => {
    const { state } = after(keys('f'));
    const later: FeedView = {
      ...live,
      link: 'lost',
      snapshot: fakeSnapshot({
        connections: { total: 99, byTransport: { http: 90, sse: 3, websocket: 6 }, sockets: 99 },
      }),
    };
    const shown = text(state, later, 120, 40);
    assert.match(shown, /FROZEN/);
    assert.match(shown, /Streamable HTTP +12 /);
    assert.match(shown, /reconnecting…/);
    assert.match(
      text(press(state, { full: 'f', text: 'f' }, later, composeScreen(state, later, 120, 40).layout), later, 120, 40),
      /Streamable HTTP +90 /,
    );
  });

  it('step the refresh interval within bounds', () => {
    assert.equal(after(keys('+')).state.intervalMs, 2_000);
    assert.equal(after(keys('-')).state.intervalMs, 500);
    assert.equal(after(Array.from({ length: 20 }, () => ({ full: '-', text: '-' }))).state.intervalMs, 100);
    assert.match(after(keys('-', '-')).text, /every 250 ms/);
  });

  it('open and close the help', () => {
    assert.match(after(keys('?')).text, /freeze and unfreeze the screen/);
    assert.doesNotMatch(after(keys('?', 'escape')).text, /freeze and unfreeze/);
  });
});
