/** What the pages show beyond their lists, and what keys and the mouse do there. Pure: no terminal. */
import assert from 'node:assert/strict';
import { plainText } from '#src/admin/view/line.js';
import { textWidth } from '#src/admin/view/text.js';
import { composeScreen } from '#src/tui/compose.js';
import { NO_VIEW, type FeedView } from '#src/tui/feed.js';
import { point, type MouseEvent } from '#src/tui/mouse.js';
import { initialState, listOf, press, type Key, type UiState } from '#src/tui/state.js';
import { FAKE_ACTORS, fakeConnections, fakeLog, fakeSnapshot } from '../support/admin/fixtures.js';
import { fakeToolsOf } from '../support/admin/policy-fixtures.js';
import { inUtc } from '../support/utc.js';
import { fakeTraces } from '../support/admin/trace-fixtures.js';

const live: FeedView = {
  ...NO_VIEW,
  link: 'live',
  snapshot: fakeSnapshot(),
  connections: fakeConnections(),
  logs: Array.from({ length: 200 }, (_, number) => ({ number, entry: fakeLog(number) })),
  tools: fakeToolsOf('tickets'),
  messages: FAKE_ACTORS[1]?.messages ?? [],
  traces: fakeTraces(),
};

function keys(...names: readonly string[]): readonly Key[] {
  return names.map((full) => ({ full, text: full.length === 1 ? full : undefined }));
}

class Screen {
  state: UiState = initialState(1_000);

  constructor(
    readonly view: FeedView = live,
    readonly columns = 120,
    readonly rows = 40,
  ) {}

  get composed() {
    return composeScreen(this.state, this.view, this.columns, this.rows);
  }

  get lines(): readonly string[] {
    return this.composed.lines.map(plainText);
  }

  get text(): string {
    return this.lines.join('\n');
  }

  press(...names: readonly string[]): this {
    for (const key of keys(...names)) this.state = press(this.state, key, this.view, this.composed.layout);
    return this;
  }

  /** Clicks on the first place where `what` stands, at or below `row`. */
  click(what: string, row = 0, kind: MouseEvent['kind'] = 'click'): this {
    const y = this.lines.findIndex((line, at) => at >= row && line.includes(what));
    assert.ok(y >= 0, `"${what}" is not on the screen:\n${this.text}`);
    const line = this.lines[y] ?? '';
    const x = textWidth(line.slice(0, line.indexOf(what)));
    this.state = point(this.state, { kind, x, y }, this.composed.layout);
    return this;
  }
}

describe('upstreams page', () => {
  inUtc();
  const tickets = (): Screen => new Screen().press('3', 'down', 'down', 'down', 'down', 'down');

  it('shows the pool as gauges, the breaker with its past, the era, the last error and the tools of the chosen one', () => {
    const { text } = tickets();
    for (const shown of [
      /In use +█░{11} 1\/10/,
      /Available +███░{9} 1\/4 +2 not started/,
      /Overflow +░{12} 0\/6/,
      /Waiting +░{12} 0 +p99 12 ms/,
      /Breaker +╱ open for 12s, calls failed, next probe in 8s/,
      /78 % of 40 failed, opened 4×, 118 refused, flapping/,
      /Breaker.*\n.*\n.*│ +▁+█[▁█]*█ 10 min/u,
      /Last error +14:03:37, 22s ago/,
      /ECONNREFUSED 203\.0\.113\.9:443/,
      /Era +–/,
      /· read/,
      /▲ push {2}kept back/,
    ])
      assert.match(text, shown);
    assert.match(new Screen().press('3').text, /Era +legacy {2}2025-11-25/);
  });

  it('names the tools of the chosen one alone', () => {
    assert.doesNotMatch(new Screen().press('3').text, /kept back/, 'the list of another one is still here');
  });

  it('scrolls what does not fit: Enter or Tab into it, End to its last line', () => {
    const small = new Screen(live, 80, 24).press('3', 'down', 'down', 'down', 'down', 'down');
    assert.match(small.text, /tickets {2}1–19 of \d+/);
    assert.doesNotMatch(small.text, /kept back/);
    assert.match(small.press('enter', 'end').text, /kept back/);
    assert.match(small.press('home').text, /State +▲ backoff/);
    assert.match(small.press('escape', 'up').text, /›rocket/, 'Esc gives the keys back to the list');
  });
});

describe('overview', () => {
  it('has pools, breakers, the algedonic log, drains and S1 to S5 at 120×40', () => {
    const { text } = new Screen();
    for (const shown of [
      /╭─ Pools ─/,
      /everything +█+░+ 1\/10 {2}1 free/,
      /tickets +[▁▄█ ]+ ╱ open for 12s/,
      /╭─ Algedonic log ─/,
      /▲ high +upstream "tickets" is away since 95 s/,
      /✓ over +the event loop is late by 140 ms/,
      /S1 0\.97 +S2 damping +S3 41 % +S4 1 +S5 conserve/,
    ])
      assert.match(text, shown);
  });

  it('Enter leads from each pane to its page', () => {
    const from = (...pressed: readonly string[]): string => new Screen().press(...pressed, 'enter').state.page;
    assert.deepEqual([from(), from('tab'), from('tab', 'tab')], ['upstreams', 'alarms', 'logs']);
  });
});

describe('an actor of the tree', () => {
  inUtc();
  const opened = (): Screen =>
    new Screen().press('2', '/', ...Array.from('upstream:tickets'), 'enter', 'end', 'up', 'up', 'enter');

  it('Enter opens: restarts, mailbox, last fault, uptime, children, and the messages that it takes', () => {
    const screen = opened();
    assert.equal(screen.state.opened, '/operations/upstreams/upstream:tickets');
    for (const shown of [
      /╭─ \/operations\/upstreams\/upstream:tickets ─/,
      /State +● running {2}supervisor, permanent, rest_for_one/,
      /Life +incarnation 1, 0 restarts, up 2h 05m/,
      /Mailbox +0 urgent, 0 normal/,
      /Children +2/,
      /session +▲ restarting +9 +22s/,
      /set-rate +JSON +requests a minute of a role/,
    ])
      assert.match(screen.text, shown);
    screen.press('down', 'enter');
    assert.equal(screen.state.opened, '/operations/upstreams/upstream:tickets/session');
    assert.match(screen.text, /last fault 14:03:37, 22s ago: ECONNREFUSED 203\.0\.113\.9:443/);
    assert.equal(screen.press('escape').state.opened, null);
    assert.match(screen.text, /Supervision tree/);
  });

  it('is restarted, killed for good and sent messages, each after a question', () => {
    const asked = (...pressed: readonly string[]) => opened().press(...pressed).state.asked;
    const actor = '/operations/upstreams/upstream:tickets';
    assert.deepEqual(asked('R')?.params, { actor });
    assert.deepEqual(asked('K')?.params, { actor, forGood: true });
    assert.deepEqual(opened().press('R', 'y').state.ordered?.method, 'kill');
    assert.equal(opened().press('R', 'n').state.ordered, null);
    const typed = opened().press('tab', 'enter').state;
    assert.equal(typed.line, `send ${actor} set-rate `, 'one that takes arguments is typed to its end');
    const plain = { ...live, messages: FAKE_ACTORS[0]?.messages ?? [] };
    const sending = new Screen(plain);
    sending.state = { ...opened().state };
    assert.deepEqual(sending.press('tab', 'enter').state.asked?.params, { actor, message: 'reconnect', args: {} });
    assert.equal(new Screen().press('2', 's').state.line, 'send / ');
  });

  it('that was stopped for good is started again', () => {
    const { asked } = new Screen().press('2', '/', ...Array.from('terminal'), 'enter', 'end', 'R').state;
    assert.deepEqual([asked?.method, asked?.params], ['restart', { actor: '/consoles/terminal' }]);
  });

  it('that has gone says so', () => {
    const screen = opened();
    screen.state = { ...screen.state, opened: '/gone' };
    assert.match(screen.text, /not in the tree any more/);
  });
});

describe('logs and traces', () => {
  it('shows the newest traces, spans under their cause, with how they ended', () => {
    const { text } = new Screen().press('5');
    for (const shown of [
      /╭─ Traces {2}1\/3 {2}1\.0 % of requests/,
      /tools\/call memory__read_graph +13 ms +✓/,
      /└ tools\/call read_graph +6\.0 ms +✓ .*memory/,
      /✖ upstream_unavailable/,
      /4bf92f3577b34da6a3ce929d0e0e4736/,
    ])
      assert.match(text, shown);
  });

  it('filters lines and traces apart, and says by what', () => {
    const screen = new Screen().press('5', '/', ...Array.from('stderr'), 'enter');
    assert.match(screen.lines[1] ?? '', /\/stderr $/);
    assert.match(screen.text, /Traces {2}1\/3/, 'the log’s filter is the log’s alone');
    screen.press('tab', '/', ...Array.from('unavailable'), 'enter');
    assert.match(screen.lines[1] ?? '', /\/unavailable $/);
    assert.match(screen.text, /Traces {2}1\/1/);
  });

  it('says how tracing is switched on where it is off', () => {
    const telemetry = { ...fakeSnapshot().telemetry, tracing: false };
    const off = new Screen({ ...live, traces: [], snapshot: fakeSnapshot({ telemetry }) }).press('5');
    assert.match(off.text, /Traces {2}off/);
    assert.match(off.text, /Tracing is off\. .*OTEL_EXPORTER_OTLP_ENDPOINT/);
  });
});

describe('keys on long lists', () => {
  it('PgDn, PgUp, End and Home move by what is shown', () => {
    const screen = new Screen(live, 80, 16).press('4');
    const position = (): string => /Connections {2}(\d+)\/21/.exec(screen.text)?.[1] ?? '';
    assert.deepEqual(
      ['pagedown', 'pagedown', 'pageup', 'end', 'home'].map((key) => {
        screen.press(key);
        return position();
      }),
      ['11', '21', '11', '21', '1'],
    );
  });

  it('d drains what is chosen: the gateway, an upstream, a session', () => {
    const asked = (...pressed: readonly string[]) => new Screen().press(...pressed, 'd').state.asked?.params;
    assert.deepEqual(asked('1'), {});
    assert.deepEqual(asked('3', 'down'), { target: { kind: 'upstream', name: 'memory' } });
    assert.deepEqual(asked('4', 'down'), { target: { kind: 'session', id: '5f1c9a01' } });
  });
});

describe('the mouse', () => {
  it('turns pages by their names and chooses rows', () => {
    const screen = new Screen().click('4 Connections');
    assert.equal(screen.state.page, 'connections');
    screen.click('東京クライアント', 4);
    assert.match(screen.text, /Connections {2}4\/21/);
    screen.click('3 Upstreams').click('filesystem');
    assert.match(screen.text, /─ filesystem /);
  });

  it('sorts by a heading; by the same once more, the other way round', () => {
    const screen = new Screen(live, 200, 40).press('4').click('OPEN');
    assert.match(screen.text, /OPEN↑/);
    assert.match(screen.click('OPEN↑').text, /OPEN↓/);
    assert.equal(listOf(screen.state.lists, 'connections').descending, true);
  });

  it('gives the keys to the pane that was clicked; the wheel scrolls what it is over', () => {
    const screen = new Screen(live, 80, 24).press('3').click('In use');
    assert.equal(screen.state.pane, 1);
    screen.click('In use', 0, 'wheeldown');
    assert.match(screen.text, /everything {2}4–\d+ of/);
    screen.click('memory', 0, 'wheeldown');
    assert.match(screen.text, /›天気/, 'down by three from the first');
    assert.match(screen.text, /天気予報サービス {2}1–\d+ of/, 'the text of another one begins at its top');
    assert.equal(screen.state.pane, 1, 'the wheel takes no focus');
  });

  it('answers no question', () => {
    const screen = new Screen().press('d');
    screen.click('yes');
    assert.ok(screen.state.asked);
  });
});
