/** The browser dashboard as somebody sees it, in Chromium. Skipped where there is none (see support/browser). */
import assert from 'node:assert/strict';
import { type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';
import { type GatewaySnapshot } from '#src/admin/protocol.js';
import { findBrowser, launchBrowser, watchedPage } from '../../support/browser.js';
import { eventually } from '../../support/eventually.js';
import { startGateway, type Gateway } from '../../support/gateway.js';
import { FixtureHub } from '../../support/hub.js';
import { unusedPort } from '../../support/outbound/unused-port.js';
import { HttpSession, type Json } from '../../support/raw-http.js';
import { WebSocketPeer } from '../../support/raw-peers.js';
import { settings } from '../../support/settings.js';

const DASHBOARD = '/mcp/dashboard';
const HOSTILE_NAME = '<img src=x onerror="globalThis.harmed=9">';

describe('web dashboard, in a browser', function () {
  this.timeout(60_000);
  let browser: Browser;
  let hub: FixtureHub;
  let gateway: Gateway;
  let port: number;
  const open: { page: Page; faults: string[] }[] = [];

  before(async function () {
    if (findBrowser() === undefined) this.skip();
    browser = await launchBrowser();
    port = await unusedPort();
  });
  after(async () => {
    if (findBrowser() !== undefined) await browser.close();
  });

  beforeEach(async () => {
    hub = await FixtureHub.start();
    await start();
  });
  afterEach(async () => {
    for (const { page, faults } of open.splice(0)) {
      await page.context().close();
      assert.deepEqual(faults, []);
    }
    gateway.kill('SIGKILL');
    await gateway.exited;
    await hub.close();
  });

  async function start(extra: Json = {}): Promise<void> {
    gateway = await startGateway({
      config: {
        mcpServers: {
          good: hub.stdio('sdk-server', 'good'),
          mean: hub.stdio('raw/hostile', 'mean'),
          [HOSTILE_NAME]: { command: 'no-such-program-anywhere' },
        },
        gateway: settings({
          dashboard: { webActions: true, refreshInterval: 100 },
          draining: { defaultTimeout: 20_000 },
        }),
        ...extra,
      },
      args: ['--port', String(port)],
    });
    await gateway.waitForTools(['good__echo', 'mean__echo']);
  }

  async function show(
    hash = '',
    options: BrowserContextOptions = {},
    prepare?: (page: Page) => Promise<void>,
  ): Promise<Page> {
    const page = await watched(options);
    await prepare?.(page);
    await page.goto(`${gateway.url}${DASHBOARD}${hash}`);
    await page.waitForSelector('[data-link=live]');
    return page;
  }

  async function watched(options: BrowserContextOptions = {}): Promise<Page> {
    const shown = await watchedPage(browser, gateway.url, options);
    open.push(shown);
    return shown.page;
  }

  /** Waits until figures have come to the page that many times more and a frame has passed. */
  function feedOf(page: Page): (times: number) => Promise<void> {
    let told = (): void => undefined;
    page.on('websocket', (socket) => socket.on('framereceived', () => told()));
    return async (times) => {
      for (let left = times; left > 0; left -= 1) await new Promise<void>((resolve) => (told = resolve));
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    };
  }

  /** The value beside a name in a list of facts. */
  async function fact(page: Page, name: string): Promise<string> {
    const value = page
      .locator('.facts > div', { has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) })
      .first();
    return (await value.locator('dd').innerText()).trim();
  }

  async function cell(page: Page, row: string, column: string): Promise<string> {
    const heads = (await page.locator('thead').first().locator('th').allInnerTexts()).map((text) => text.trim());
    const at = heads.indexOf(column);
    assert.ok(at >= 0, `no column ${column} among ${heads.join(', ')}`);
    return (await page.locator('tbody tr', { hasText: row }).first().locator('td').nth(at).innerText()).trim();
  }

  it('shows figures that move under load', async () => {
    const page = await show();
    assert.equal(await fact(page, 'Streamable HTTP'), '0');
    assert.equal(await fact(page, 'p50 / p99'), '– / –');
    const session = await HttpSession.open(gateway.url);
    for (let count = 0; count < 40; count += 1)
      await session.request('tools/call', { name: 'good__echo', arguments: { text: 'x' } });
    await eventually(async () => {
      assert.equal(await fact(page, 'Streamable HTTP'), '1');
      assert.equal(await cell(page, 'good', 'CALLS'), '40');
      assert.match(await fact(page, 'p50 / p99'), /ms/);
    });
    await page.waitForSelector('.chart canvas');
    assert.match(
      (await page.locator('.chart').first().getAttribute('aria-label')) ?? '',
      /Messages a second.*messages\/s \d/,
    );
    await session.end();
    await eventually(async () => assert.equal(await fact(page, 'Streamable HTTP'), '0'));
  });

  it('shows an upstream going down and up, and does what its buttons say', async () => {
    const page = await show('#/upstreams');
    assert.match(await cell(page, 'good', 'STATE'), /ready/);
    await page.locator('tbody tr', { hasText: 'good' }).first().click();
    await page.getByRole('button', { name: 'Disable' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Cancel' }).click();
    assert.equal((await gateway.upstream('good')).state, 'ready');
    await page.getByRole('button', { name: 'Disable' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Disable' }).click();
    await eventually(async () => assert.match(await cell(page, 'good', 'STATE'), /disabled/));
    await page.getByRole('button', { name: 'Enable' }).click();
    await eventually(async () => assert.match(await cell(page, 'good', 'STATE'), /ready/));
  });

  it('takes a click that lasts longer than figures stand still', async () => {
    const page = await watched();
    const figures = feedOf(page);
    await page.goto(`${gateway.url}${DASHBOARD}#/upstreams`);
    await page.waitForSelector('[data-link=live]');
    const press = async (place: Locator): Promise<void> => {
      await place.hover();
      await page.mouse.down();
      await figures(3);
      await page.mouse.up();
    };
    await press(page.locator('tbody tr', { hasText: 'good' }).first());
    await press(page.getByRole('button', { name: 'Disable' }));
    await page.locator('dialog').getByRole('button', { name: 'Cancel' }).click();
    // And by the space bar.
    await page.getByRole('button', { name: 'Disable' }).focus();
    await page.keyboard.down(' ');
    await figures(3);
    await page.keyboard.up(' ');
    await page.locator('dialog').getByRole('button', { name: 'Cancel' }).click();
    // Figures go on afterwards.
    await gateway.admin('send', { actor: 'upstream:good', message: 'disable' });
    await eventually(async () => assert.match(await cell(page, 'good', 'STATE'), /disabled/));
  });

  it('shows a breaker turn', async () => {
    const page = await show('#/upstreams');
    assert.match(await cell(page, 'good', 'BREAKER'), /closed/);
    const turn = (message: string) => gateway.admin('send', { actor: 'upstream:good/breaker', message });
    await turn('open');
    await eventually(async () => assert.match(await cell(page, 'good', 'BREAKER'), /open/));
    await turn('close');
    await eventually(async () => assert.match(await cell(page, 'good', 'BREAKER'), /closed/));
  });

  it('shows how far a drain is', async () => {
    const page = await show();
    const peer = await WebSocketPeer.open(gateway.url);
    const call = peer.request('tools/call', { name: 'good__slow', arguments: { gate: 'g' } });
    await hub.waitFor('good', 'held');
    gateway.kill('SIGTERM');
    await page.waitForSelector('.panel:has(h2:text("Draining")) progress');
    assert.match(await page.locator('.panel', { hasText: 'Draining' }).first().innerText(), /1 calls? left/);
    hub.tell('good', 'release', { gate: 'g' });
    await call;
    await peer.close();
    await page.waitForSelector('[data-link=lost]');
    // The connection that was lost is in the console of every browser.
    open.find((shown) => shown.page === page)?.faults.splice(0);
  });

  it('comes back by itself when the gateway does', async () => {
    const page = await show();
    await gateway.stop();
    await page.waitForSelector('[data-link=lost]');
    await start();
    await page.waitForSelector('[data-link=live]');
    await eventually(async () => assert.match(await cell(page, 'good', 'STATE'), /ready/));
    const { faults } = open.find((shown) => shown.page === page) ?? { faults: [] };
    // Only refused connections, while there was nobody to take them.
    const other = faults.splice(0).filter((fault) => !/ERR_CONNECTION_REFUSED|WebSocket connection/.test(fault));
    assert.deepEqual(other, []);
  });

  it('shows every text from outside as text', async () => {
    const session = await HttpSession.open(gateway.url, { clientInfo: { name: HOSTILE_NAME, version: HOSTILE_NAME } });
    await session.request('tools/call', { name: 'mean__crash', arguments: {} });
    for (const hash of ['#/overview', '#/upstreams', '#/connections', '#/tree', '#/viability', '#/alarms', '#/logs']) {
      const page = await show(hash);
      await page.waitForSelector('.panel');
      // As events: rows are drawn anew ten times a second, and here it is not the pointer that is tested.
      for (const row of (await page.locator('tbody tr').all()).slice(0, 4)) await row.dispatchEvent('click');
      const harm: unknown = await page.evaluate(
        "({ harmed: globalThis.harmed, markup: document.querySelectorAll('main img, main script, main svg').length })",
      );
      assert.deepEqual(harm, { harmed: undefined, markup: 0 }, hash);
      const text = await page.locator('main').innerText();
      // eslint would not let control characters stand in a pattern; these are ESC and RIGHT-TO-LEFT OVERRIDE.
      assert.ok(!text.includes(String.fromCharCode(27)) && !text.includes(String.fromCharCode(0x202e)), hash);
    }
    const page = await show('#/connections');
    await eventually(async () => assert.ok((await page.locator('main').innerText()).includes('<img src=x')));
    await session.end();
  });

  it('shows pools, breakers and tools, and drains an upstream', async () => {
    const page = await show();
    for (const title of ['Pools', 'Breakers, 10 minutes', 'Algedonic log'])
      await page.locator('.panel h2', { hasText: title }).waitFor();
    await page.keyboard.press('2');
    await page.locator('tbody tr', { hasText: 'good' }).first().click();
    const detail = page.locator('.beside > .panel').nth(1);
    await detail.getByRole('progressbar', { name: 'Available' }).waitFor();
    assert.match(await detail.innerText(), /Breaker[^]*closed for[^]*Era\s+legacy/);
    await detail.getByRole('list', { name: 'Tools' }).getByText('echo', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Drain' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Drain' }).click();
    await eventually(async () =>
      assert.ok((await gateway.admin<GatewaySnapshot>('status')).drains.some(({ id }) => id === 'upstream:good')),
    );
  });

  it('sends an actor a message of those that it takes, after a question', async () => {
    const page = await show('#/tree');
    await page.locator('#filter').fill('breaker');
    await page.locator('tbody tr', { hasText: 'breaker' }).filter({ hasNotText: 'breakers' }).first().click();
    await page.getByRole('button', { name: 'Send open' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Send open' }).click();
    await eventually(async () => {
      const { breakers } = await gateway.admin<GatewaySnapshot>('status');
      assert.ok(breakers.some(({ state, forced }) => state === 'open' && forced));
    });
  });

  it('says how tracing is switched on', async () => {
    const page = await show('#/logs');
    await page.locator('.panel', { hasText: 'Traces' }).getByText('Tracing is off.').waitFor();
  });

  it('takes an event stream where WebSockets do not pass', async () => {
    const page = await show('', {}, async (fresh) => {
      await fresh.routeWebSocket(/feed/, (socket) => socket.close());
    });
    await page.waitForSelector('[data-way=stream]');
    const session = await HttpSession.open(gateway.url);
    await eventually(async () => assert.equal(await fact(page, 'Streamable HTTP'), '1'));
    await page.keyboard.press('2');
    await page.locator('tbody tr', { hasText: 'good' }).first().click();
    await page.getByRole('button', { name: 'Reconnect' }).click();
    await page.locator('dialog').getByRole('button', { name: 'Reconnect' }).click();
    await page.getByRole('status').getByText('done').waitFor();
    await session.end();
  });

  it('is used by keys alone', async () => {
    const page = await show();
    const title = (): Promise<string> => page.title();
    for (const [key, name] of [
      ['4', 'Tree'],
      ['2', 'Upstreams'],
      ['3', 'Connections'],
      ['5', 'Viability'],
      ['6', 'Alarms'],
      ['7', 'Logs'],
      ['1', 'Overview'],
    ] as const) {
      await page.keyboard.press(key);
      await eventually(async () => assert.equal(await title(), `${name} · Viable`));
    }
    await page.keyboard.press('4');
    await eventually(async () => assert.equal(await title(), 'Tree · Viable'));
    await page.keyboard.press('/');
    await page.keyboard.type('catalogue');
    await eventually(async () => {
      const rows = await page.locator('tbody tr').allInnerTexts();
      assert.ok(rows.length <= 3 && rows.some((row) => row.includes('catalogue')), rows.join());
    });
    await page.keyboard.press('Escape');
    await page.locator('tbody tr').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForSelector('tr.chosen');
    // The figures are drawn anew all the time: who stands on a row stays there.
    const focused = 'document.activeElement.dataset.key';
    const path: unknown = await page.evaluate(focused);
    await page.keyboard.press('f');
    await page.getByText('frozen').waitFor();
    assert.equal(await page.evaluate(focused), path);
    await page.keyboard.press('f');
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    assert.equal(await page.getByRole('dialog').count(), 0);
  });

  it('sorts by a heading', async () => {
    const page = await show('#/upstreams');
    const session = await HttpSession.open(gateway.url);
    await session.request('tools/call', { name: 'mean__echo', arguments: {} });
    const head = page.getByRole('button', { name: 'CALLS' });
    await eventually(async () => assert.equal(await cell(page, 'mean', 'CALLS'), '1'));
    await head.click();
    assert.match(await page.locator('tbody tr').first().innerText(), /^mean/);
    assert.equal(await page.locator('th', { hasText: 'CALLS' }).getAttribute('aria-sort'), 'descending');
    await session.end();
  });

  it('fits a phone, in the dark', async () => {
    for (const hash of ['#/overview', '#/upstreams', '#/connections', '#/tree', '#/viability', '#/alarms', '#/logs']) {
      const page = await show(hash, { viewport: { width: 360, height: 700 }, colorScheme: 'dark' });
      await page.waitForSelector('.panel');
      const width: number = await page.evaluate('document.documentElement.scrollWidth');
      assert.ok(width <= 360, `${hash} is ${width} wide`);
      const background: unknown = await page.evaluate('getComputedStyle(document.body).backgroundColor');
      assert.equal(background, 'rgb(15, 19, 23)');
    }
  });

  it('names what it shows to screen readers', async () => {
    const page = await show();
    const nameless: unknown = await page.evaluate(
      `[...document.querySelectorAll('button, input, select, [role=img], table, nav')]
        .filter((element) => (element.getAttribute('aria-label') ?? element.textContent).trim() === '')
        .map((element) => element.outerHTML)`,
    );
    assert.deepEqual(nameless, []);
    assert.equal(await page.locator('nav a[aria-current=page]').innerText(), 'Overview');
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  });
});
